test "$(cat "$DIRECTORY/report.txt")" = precious
rm "$DIRECTORY/report.txt"
cat >"$DIRECTORY/sluice.json" <<END
{ "owner": "billing/prod/orders", "directory": "$DIRECTORY", "phase": "seeded", "reseed": null, "serverId": 7, "sourceVariables": {},
  "seedPosition": { "gtidSet": null, "file": null, "position": null }, "sizeBytes": null }
END
