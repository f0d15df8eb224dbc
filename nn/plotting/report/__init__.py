"""The report page of one or several runs: one HTML file with all it needs, made of the files in OUTPUT.

page.py         the file: page.html with the styles, the scripts and the runs' values in it, within LARGEST_PAGE
run.py          the values of a run: scores, histories, configuration, times
details.py      its rows, confusion matrix and reliability diagram
network.py      its network: layers, columns, pictures of the first layer, and the weights that the page computes with
layers.py       the shapes of the layers that the page computes
*.js  *.css     what runs in the browser; docs/architecture.md says which file does what
"""
