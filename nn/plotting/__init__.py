"""Pictures of a training run, drawn from its files without Spark.

options.py  program.py          the command line; errors and exit codes
textfiles.py    lines and tables of numbers; an error names file and line
histories.py    epoch by epoch: cost, accuracy, learning rate
results.py      results of a finished run: summary, confusion matrix, examples
firstlayer.py   the weights next to the input, out of model.npz
style.py        the common look, and writing a picture to the disk
scales.py       the axes of a history
curves.py  confusion.py  metrics.py  images.py  weights.py      one kind of picture each
labels.py       names of classes that fit, and formatted numbers
gallery.py      which picture needs which files
"""
