"""The options that tools of clouds and clusters know, of the commands that docs/clusters and docs/google_cloud use.

Those of gcloud, aws and kubectl were copied from the help of Google Cloud SDK 528.0.0, aws-cli 1.45.11 and kubectl
1.32.4; the addresses are those of the same strings.
"""

GCLOUD = "--project --quiet --format --verbosity"  # https://cloud.google.com/sdk/gcloud/reference
AWS = "--region --profile --output --query"  # https://docs.aws.amazon.com/cli/latest/reference/
KUBECTL = (
    "--namespace -n --context"  # https://kubernetes.io/docs/reference/kubectl/generated/kubectl_options/
)

# https://cloud.google.com/sdk/gcloud/reference/dataproc/clusters/create
CREATE_CLUSTER = """
    --async --autoscaling-policy --bucket --delete-max-age --delete-max-idle --enable-component-gateway --image-version
    --initialization-actions --labels --master-boot-disk-size --master-machine-type --metadata --network --no-address
    --num-masters --num-secondary-workers --num-workers --optional-components --properties --public-ip-address --region
    --secondary-worker-boot-disk-size --secondary-worker-type --service-account --single-node --subnet --tags
    --temp-bucket --worker-boot-disk-size --worker-machine-type --zone"""

# https://cloud.google.com/sdk/gcloud/reference/dataproc/jobs/submit/pyspark
SUBMIT_JOB = """
    --archives --async --bucket --cluster --cluster-labels --driver-log-levels --driver-required-memory-mb
    --driver-required-vcores --files --jars --labels --max-failures-per-hour --max-failures-total --properties
    --properties-file --py-files --region"""

# https://cloud.google.com/sdk/gcloud/reference/dataproc/batches/submit/pyspark
SUBMIT_BATCH = """
    --archives --async --batch --container-image --deps-bucket --files --history-server-cluster --jars --kms-key
    --labels --metastore-service --network --properties --py-files --region --request-id --service-account
    --staging-bucket --subnet --tags --ttl --user-workload-authentication-type --version"""

# https://docs.aws.amazon.com/cli/latest/reference/emr/create-cluster.html
CREATE_EMR = """
    --applications --auto-terminate --auto-termination-policy --bootstrap-actions --configurations --custom-ami-id
    --ebs-root-volume-size --ec2-attributes --instance-count --instance-fleets --instance-groups --instance-type
    --log-uri --managed-scaling-policy --name --no-auto-terminate --release-label --scale-down-behavior
    --security-configuration --service-role --step-concurrency-level --steps --tags --termination-protected
    --use-default-roles"""

OPTIONS = {
    "gcloud dataproc clusters create": f"{GCLOUD} {CREATE_CLUSTER}",
    # https://cloud.google.com/sdk/gcloud/reference/dataproc/clusters/update
    "gcloud dataproc clusters update": f"{GCLOUD} --region --num-secondary-workers --num-workers --delete-max-idle",
    # https://cloud.google.com/sdk/gcloud/reference/dataproc/clusters/delete
    "gcloud dataproc clusters delete": f"{GCLOUD} --async --region",
    "gcloud dataproc jobs submit pyspark": f"{GCLOUD} {SUBMIT_JOB}",
    "gcloud dataproc batches submit pyspark": f"{GCLOUD} {SUBMIT_BATCH}",
    # https://cloud.google.com/sdk/gcloud/reference/auth/login, .../config/set
    "gcloud auth login": f"{GCLOUD} --brief --update-adc",
    "gcloud config set": f"{GCLOUD} --installation",
    # https://cloud.google.com/sdk/gcloud/reference/services/enable
    "gcloud services enable": f"{GCLOUD} --async",
    # https://cloud.google.com/sdk/gcloud/reference/storage/buckets/create
    "gcloud storage buckets create": f"{GCLOUD} --location --default-storage-class --uniform-bucket-level-access",
    # https://cloud.google.com/sdk/gcloud/reference/storage/cp, .../rm; their synopsis has -r for --recursive
    "gcloud storage cp": f"{GCLOUD} --recursive -r -R --no-clobber",
    "gcloud storage rm": f"{GCLOUD} --recursive -r -R --all-versions",
    "aws emr create-cluster": f"{AWS} {CREATE_EMR}",
    # https://docs.aws.amazon.com/cli/latest/reference/emr/
    "aws emr create-default-roles": f"{AWS} --iam-endpoint",
    "aws emr terminate-clusters": f"{AWS} --cluster-ids",
    "aws emr wait cluster-terminated": f"{AWS} --cluster-id",
    # https://docs.aws.amazon.com/cli/latest/reference/s3/
    "aws s3 mb": AWS,
    "aws s3 cp": f"{AWS} --recursive --exclude --include --quiet",
    # https://kubernetes.io/docs/reference/kubectl/generated/
    "kubectl create namespace": KUBECTL,
    "kubectl create serviceaccount": f"{KUBECTL} --dry-run",
    "kubectl create rolebinding": f"{KUBECTL} --clusterrole --role --serviceaccount --user --group",
    "kubectl cluster-info": KUBECTL,
    "kubectl logs": f"{KUBECTL} --follow -f --selector -l --container -c --tail --since",
    "kubectl apply": f"{KUBECTL} --filename -f --server-side",
    "kubectl get": f"{KUBECTL} --watch -w --output -o --selector -l",
    # https://github.com/databricks/cli, cmd/fs/cp.go, cmd/workspace/jobs/jobs.go, cmd/workspace/workspace/import_dir.go
    "databricks fs cp": "--overwrite --recursive -r",
    "databricks jobs submit": "--json --no-wait --timeout --run-name --timeout-seconds --idempotency-token",
    "databricks workspace import-dir": "--overwrite",
    # https://docs.docker.com/reference/cli/docker/
    "docker build": "-t --tag -f --file --platform --no-cache",
    "docker run": "--rm -it -e --entrypoint",
    "docker push": "--quiet",
    # https://spark.apache.org/docs/latest/spark-standalone.html
    "/opt/spark/sbin/start-master.sh": "-h --host -p --port --webui-port --properties-file",
    "/opt/spark/sbin/start-worker.sh": "-h --host -c --cores -m --memory -d --work-dir --webui-port --properties-file",
    # https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-common/FileSystemShell.html
    "hdfs dfs": "-get -put -mkdir -p -ls -cat -rm -r",
    # https://venv.pypa.io, https://pip.pypa.io, https://jcristharif.com/venv-pack/
    "python -m venv": "--system-site-packages --without-pip",
    "python -m pip install": "--no-deps --upgrade",
    "python -m pip wheel": "--no-deps --wheel-dir",
    "environment/bin/venv-pack": "-o --output -p --prefix",
    "sudo dnf install": "-y",
    "mkdir": "-p",
    "sleep": "",
    "echo": "",
    "cd": "",
}
