mkdir -p "$DIRECTORY/data"
echo precious >"$DIRECTORY/report.txt"
