# Everything the project can do from a bare machine: GNU make 3.81 or newer and Python 3.10 or newer.
# What is difficult (environment, Java, data) is done by the small programs in tools/setup/.

TRAIN_OPTIONS ?= --hidden 128 --activation relu --loss cross-entropy --optimizer momentum --average parameters \
  --epochs 10
DRIVER_MEMORY ?= 2g
# A short job ends before the JVM's second compiler has saved its own time (benchmarks/results/README.md); empty for long texts.
DRIVER_JAVA_OPTIONS ?= -XX:TieredStopAtLevel=1

# The first Python that is new enough; another one: make train PYTHON=/path/to/python3
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do \
  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; then echo $$python; exit; fi; \
  done; command -v python3)
# Spark 3.5 and NumPy 1.26 know Python up to 3.12.
PYTHON_SPARK35 = $(shell for python in $(PYTHON) python3.12 python3.11 python3.10; do \
  if $$python -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))' >/dev/null 2>&1; \
  then echo $$python; exit; fi; done; echo $(PYTHON))
FOUND_PYTHON = $(if $(PYTHON),$(PYTHON),$(error Python 3.10 or newer is needed and there is no python3 in PATH))

SETUP = @$(FOUND_PYTHON) -B -m tools.setup
DATA := data/mnist_images_train.csv data/mnist_labels_train.csv data/mnist_images_test.csv data/mnist_labels_test.csv
JVM = --driver-memory $(DRIVER_MEMORY) $(if $(DRIVER_JAVA_OPTIONS),--driver-java-options "$(DRIVER_JAVA_OPTIONS)")
SUBMIT = spark-submit $(JVM) main_task.py $(DATA) output --overwrite $(TRAIN_OPTIONS)
# Most of a test is waiting for a JVM to start; a file's tests stay together, and share what they start.
SIDE_BY_SIDE ?= -n 2 --dist loadfile --no-loadscope-reorder
SPARK35_TESTS = tests/programs/test_end_to_end.py tests/spark tests/cli/test_check_on_spark.py tests/ml/test_pipelines.py

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help train data plots environment environment-dev java test check lint test-faults test-clusters test-clusters-spark35 test-pages test-browser test-spark35 bench docs notebook package clean distclean

help:
	@echo "make train         set up all that is missing, train on MNIST, draw the plots and the report page into output/"
	@echo "                   make train TRAIN_OPTIONS=\"--hidden 64 --epochs 20\" trains another network"
	@echo "make test          set up what testing needs, check the code and run all tests"
	@echo "make check         check the code and run the tests that need no Spark; 2 minutes"
	@echo "make test-pages    run the README and the pages on training, tables and the tutorial, command by command; 2 minutes"
	@echo "make test-spark35  run the end-to-end tests on Spark 3.5, in an environment of its own"
	@echo "make test-faults   kill, fill and feed it rubbish, as often as docs/reliability.md says; an hour"
	@echo "make test-clusters run the job on YARN, HDFS, gs:// and s3a://, started on this machine; downloads 120 MB of jars"
	@echo "make test-clusters-spark35  run the job on YARN and HDFS with Spark 3.5"
	@echo "make test-browser  open the report page in a headless Chromium; skipped where there is none"
	@echo "make data          prepare data/ only: what is there, else MNIST, else synthetic digits"
	@echo "make plots         draw the plots of output/ and write its report page again"
	@echo "make bench         measure beside NumPy, PyTorch, scikit-learn and Spark's own classifier; hours"
	@echo "make docs          build the documentation site into site/"
	@echo "make notebook      open docs/notebooks/NeuralNetwork.ipynb in JupyterLab, in an environment of its own"
	@echo "make lint          ruff, mypy and spelling only"
	@echo "make package       write dist/ for a cluster: nn.zip for spark-submit --py-files, the programs, the recipes"
	@echo "make clean         remove output/, dist/, site/ and caches"
	@echo "make distclean     remove the environments and the downloaded Java as well; data/ stays"

train: java data
	$(SETUP).inside .venv $(SUBMIT)
	$(SETUP).inside .venv python generate_plots.py output
	$(SETUP).inside .venv python generate_plots.py output --html
	$(SETUP).summary .venv output $(SUBMIT)

data: environment
	$(SETUP).data .venv

plots: environment
	$(SETUP).inside .venv python generate_plots.py output
	$(SETUP).inside .venv python generate_plots.py output --html

environment:
	$(SETUP).environment .venv requirements.txt

environment-dev:
	$(SETUP).environment .venv requirements-dev.txt

java: environment
	$(SETUP).java .venv

# Hours for all of it; BENCH_OPTIONS="--only speed,accuracy --seeds 3" takes less.
bench: data
	@$(FOUND_PYTHON) -B -m tools.setup.environment .venv-bench requirements-bench.txt
	$(SETUP).java .venv-bench
	$(SETUP).inside .venv-bench python benchmarks/bench.py data $(BENCH_OPTIONS)

docs:
	@$(FOUND_PYTHON) -B -m tools.setup.environment .venv-docs requirements-docs.txt
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/python -m mkdocs build --strict

# NOTEBOOK_OPTIONS go to jupyter: --allow-root in a container, --no-browser on a machine without a screen.
notebook:
	@$(FOUND_PYTHON) -B -m tools.setup.environment .venv-notebook docs/notebooks/requirements-notebook.txt
	$(SETUP).java .venv-notebook
	$(SETUP).data .venv-notebook
	$(SETUP).inside .venv-notebook jupyter lab $(NOTEBOOK_OPTIONS) docs/notebooks/NeuralNetwork.ipynb

test: lint java
	$(SETUP).inside .venv python -m tests.support.java_classes
	$(SETUP).inside .venv python -m pytest $(SIDE_BY_SIDE) --durations=10

# Pages whose commands are run from the first to the last; make test runs the snippets of the others.
test-pages: environment-dev java
	$(SETUP).inside .venv python -m tests.support.java_classes
	$(SETUP).inside .venv python -m pytest --pages -m pages --durations=10

check: lint
	$(SETUP).inside .venv python -m pytest -m "not spark" -n 2 --dist worksteal

lint: environment-dev
	$(SETUP).inside .venv python -m ruff check .
	$(SETUP).inside .venv python -m ruff format --check .
	$(SETUP).inside .venv python -m mypy
	$(SETUP).inside .venv python -m codespell_lib

test-faults: environment-dev java
	$(SETUP).inside .venv python -m tests.support.java_classes
	$(SETUP).inside .venv python -m pytest -m faults --thorough --durations=10

# CLUSTERS_OPTIONS=--thorough kills as often as docs/reliability.md says.
test-clusters:
	@$(FOUND_PYTHON) -B -m tools.setup.environment .venv-clusters tests/clusters/requirements.txt
	$(SETUP).java .venv-clusters
	$(SETUP).inside .venv-clusters python -m tests.support.java_classes
	$(SETUP).inside .venv-clusters python -m pytest --clusters $(CLUSTERS_OPTIONS) --durations=10 tests/clusters

# The same on YARN and HDFS with Spark 3.5.
test-clusters-spark35:
	@$(PYTHON_SPARK35) -B -m tools.setup.environment .venv-spark35 tools/setup/requirements-spark35.txt
	$(SETUP).java .venv-spark35
	$(SETUP).inside .venv-spark35 python -m tests.support.java_classes
	$(SETUP).inside .venv-spark35 python -m pytest --clusters $(CLUSTERS_OPTIONS) --durations=10 tests/clusters/test_yarn.py

test-browser:
	@$(FOUND_PYTHON) -B -m tools.setup.environment .venv-browser tests/browser/requirements.txt
	$(SETUP).inside .venv-browser python -m pytest --browser -rs --durations=5 tests/browser

test-spark35:
	@if $(PYTHON_SPARK35) -c 'import sys; sys.exit(sys.version_info < (3, 13))'; then \
	  echo "Spark 3.5 and NumPy 1.26 know Python up to 3.12, here is only a newer one: going on with NumPy 2"; fi
	@$(PYTHON_SPARK35) -B -m tools.setup.environment .venv-spark35 tools/setup/requirements-spark35.txt
	$(SETUP).java .venv-spark35
	$(SETUP).inside .venv-spark35 python -m tests.support.java_classes
	$(SETUP).inside .venv-spark35 python -m pytest $(SIDE_BY_SIDE) --durations=10 $(SPARK35_TESTS)

package: environment
	$(SETUP).inside .venv python -m tools.setup.distribution dist

clean:
	@rm -rf output dist site spark-warehouse metastore_db artifacts derby.log
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name '.[!.]*' -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Removed output/, dist/, site/ and caches"

distclean: clean
	@rm -rf .venv .venv-spark35 .venv-bench .venv-clusters .venv-docs .venv-notebook .venv-browser .java .jars
	@echo "Removed .venv, .venv-spark35, .venv-bench, .venv-clusters, .venv-docs, .venv-notebook, .venv-browser, .java and .jars"
