#!/bin/bash
# CHAP, one-way and mutual, asked for by libiscsi: who has no or the wrong password stays outside.
. "$(dirname "$0")/../peers.sh"
. "$peers/target/chap-lab.sh"
require iscsi-ls qemu-io

mutual='?target_user=target&target_password=target-password-2'
cdb -q "$(chap_url alice%alice-password-1 "$mutual")" inq > "$work/cdb.log" || fail "mutual CHAP"
cdb -q "$(chap_url alice%alice-password-1)" inq > "$work/cdb.log" || fail "one-way CHAP"
qemu-io -f raw -c 'write -P 7 0 1M' -c 'read -P 7 0 1M' "$(chap_url alice%alice-password-1)" \
  > "$work/qemu-io.log" || fail "qemu-io with CHAP"
refused "no CHAP" iscsi-cdb -q "$(chap_url)" inq
refused "a wrong password" iscsi-cdb -q "$(chap_url alice%alice-password-2)" inq
refused "a wrong name" iscsi-cdb -q "$(chap_url bob%alice-password-1)" inq
refused "the target's own password" iscsi-cdb -q "$(chap_url target%target-password-2)" inq
refused "a wrong password of the target" \
  iscsi-cdb -q "$(chap_url alice%alice-password-1 '?target_user=target&target_password=wrong-password')" inq
# The lab beside it needs none, and the refusals have harmed nobody.
cdb -q "$(lab_url 0)" inq > "$work/cdb.log" || fail "the open target"
lab_stop
