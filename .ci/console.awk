# Takes the ```console blocks of a Markdown file apart: for each block NNN.sh, the commands
# (lines after "$ "), and NNN.expected, what they must print. A block without output is only run.
/^```console$/ { inside = 1; block = sprintf("%s/%03d", out, ++count); next }
/^```/ { inside = 0; next }
inside && /^\$ / { print substr($0, 3) > (block ".sh"); next }
inside { print > (block ".expected") }
