#!/bin/sh
# Made by sluice for shop/dev/orders. Change the declaration, not this file.
# Runs as mysql: it writes to directories of that user.
state=/srv/mysql/orders/run/supervisor
birth() { if [ -e /proc/self/stat ]; then sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20; else ps -o lstart= -p "$1" | tr ' ' _; fi; }
note() { rm -f "$state.new"; echo "$$ $(birth $$) $1 $2" >"$state.new" && mv -f "$state.new" "$state"; }
umask 027
MYSQLD_PARENT_PID=$$; export MYSQLD_PARENT_PID
child=; stopping=; crashes=0; since=$(date +%s)
trap 'stopping=yes; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT HUP
while [ -z "$stopping" ]; do
  rm -f /srv/mysql/orders/run/mysqld.sock.lock
  /usr/sbin/mysqld --defaults-file=/srv/mysql/orders/my.cnf </dev/null >>/srv/mysql/orders/log/start.out 2>&1 &
  child=$!
  note running "$child"
  # A signal ends wait before the child ends.
  while :; do
    wait "$child"; code=$?
    kill -0 "$child" 2>/dev/null || break
  done
  [ "$code" -eq 16 ] && continue
  case $code in 0 | 1) break ;; esac
  now=$(date +%s)
  [ $((now - since)) -gt 600 ] && { crashes=0; since=$now; }
  crashes=$((crashes + 1))
  [ $crashes -ge 5 ] && break
done
note ended "$code"
