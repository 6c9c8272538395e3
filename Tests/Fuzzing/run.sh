#!/bin/sh
# Runs every fuzzer for a bounded time, and the canary until it is found.
# usage: run.sh SECONDS [FUZZER…]   SECONDS of each fuzzer; what is found is left in .build/found/
set -eu
cd "$(dirname "$0")"
seconds=${1:?usage: run.sh SECONDS [FUZZER…]}
shift
# A crash must end the program at once, or libFuzzer cannot write down what caused it.
export SWIFT_BACKTRACE=enable=no

build=$(swift build -c release --sanitize=fuzzer -Xswiftc -sanitize=fuzzer,address 2>&1) || {
  echo "$build" | tail -20
  exit 1
}
binary=$(swift build -c release --show-bin-path)/Fuzzers
mkdir -p .build/found

# fuzz NAME SECONDS: runs one fuzzer on its kept corpus; new inputs go to a directory that is not kept.
fuzz() {
  mkdir -p "corpus/$1" ".build/work/$1"
  ECOPY_FUZZER=$1 "$binary" -max_total_time="$2" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix=".build/found/$1-" -print_final_stats=1 ".build/work/$1" "corpus/$1" \
    >".build/$1.log" 2>&1
}

failed=0
for name in ${*:-list-lid1 list-lid4 list-fields sense results cdb \
  pdu text login-target login-initiator chap names units}; do
  if fuzz "$name" "$seconds"; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' ".build/$name.log")
    echo "fuzz $name: ok, $runs inputs in $seconds s"
  else
    echo "fuzz $name: FAILED, see Tests/Fuzzing/.build/$name.log and .build/found/"
    failed=1
  fi
done

rm -rf .build/work/canary .build/found/canary-*
if fuzz canary 60 || ! ls .build/found/canary-crash-* >/dev/null 2>&1; then
  echo "fuzz canary: NOT found, so the other fuzzers prove nothing"
  failed=1
else
  echo "fuzz canary: found, as it must be"
fi
exit $failed
