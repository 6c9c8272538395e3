# Sourced by tests: runs ecopy against tgtd. What it says is in $work/ecopy.log.

# copy SOURCE… DESTINATION [OPTION…]: must succeed.
copy() { # within a minute, since nothing here is large
  timeout 60 "$ecopy" copy "$@" --progress none > "$work/ecopy.log" 2>&1 || fail "ecopy copy $*: exit $?"
}
# copy_status …: as copy, prints the exit status.
copy_status() {
  local status=0
  timeout "${copy_seconds:-60}" "$ecopy" copy "$@" --progress none > "$work/ecopy.log" 2>&1 || status=$?
  [ $status != 124 ] || fail "ecopy copy $* does not end"
  [ $status -lt 126 ] || [ $status = 130 ] || fail "ecopy copy $*: ended with $status"
  echo $status
}
