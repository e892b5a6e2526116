# A second address of the same server: where it has moved to.
device=$(ip -o -4 addr show | awk -v a="$SOURCE/" 'index($4, a) == 1 { print $2 }')
ip addr replace "${SOURCE%.*}.111/24" dev "${device%@*}"
