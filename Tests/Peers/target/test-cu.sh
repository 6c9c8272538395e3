#!/bin/bash
# iscsi-test-cu, complete, against the thin disk of the lab; the second path makes its tests of
# multipath and of two initiators run.
. "$(dirname "$0")/../peers.sh"
require iscsi-test-cu
lab_start
"$peers/test-cu" "$(lab_url 0)" "$(lab_url 0)" --raw "${TEST_CU_RAW:-$work/raw}" \
  || fail "iscsi-test-cu is not content"
is_running ecopyd || fail "ecopyd has ended"
lab_stop
