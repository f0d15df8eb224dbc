"""Pictures of a training run: files are read and checked, drawn, and put in place, with no Spark anywhere.

options.py  program.py          the command line, and what becomes of it
textfiles.py    lines and tables of numbers; a complaint names file and line
histories.py    epoch by epoch: cost, accuracy, learning rate
results.py      what a finished run knows: summary, confusion matrix, examples
firstlayer.py   the weights next to the input, out of model.npz
style.py        the common look, and a picture's way onto the disk
scales.py       the axes of a history
curves.py  confusion.py  metrics.py  images.py  weights.py      one kind of picture each
labels.py       names of classes that fit, and numbers as people write them
gallery.py      which picture needs which files
"""
