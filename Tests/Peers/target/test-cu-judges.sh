#!/bin/bash
# The judge of iscsi-test-cu sees failures, skips that others pass, tests without a result and
# exceptions that nobody needs: a stand-in for iscsi-test-cu prints them.
. "$(dirname "$0")/../peers.sh"
cat > "$work/stand-in" << 'STANDIN'
#!/bin/bash
if [ "$1" = --list ]; then
  printf 'SCSI.Read6.%s\n' Simple BeyondEol
  printf 'SCSI.Sanitize.%s\n' Reset Overwrite
  printf 'ALL.Read6.Simple\niSCSI.iSCSITMF.AbortTaskSimpleAsync\n'
  exit
fi
case "$*" in
  *Read6*) printf 'Suite: Read6\n  Test: Simple ...    [FAILED] as wanted\npassed    [SKIPPED] not me\n  Test: BeyondEol ...    [SKIPPED] no\npassed\n' ;;
  *Sanitize*) printf '  Test: Reset ...    [SKIPPED] no\npassed\n  Test: Overwrite ...    [FAILED] bad\nFAILED\n    1. a.c:1  - CU_FAIL\n' ;;
esac
STANDIN
chmod +x "$work/stand-in"
touch "$work/no-exceptions"
judged() {
  "$peers/test-cu" iscsi://nowhere/none/0 --program "$work/stand-in" \
    --exceptions "$work/no-exceptions" "$@"
}

told=$(judged --only S && echo content) || true
expect_match "$told" '^skip SCSI.Read6.BeyondEol \(passed by tgt' "a skip that others pass"
expect_match "$told" '^FAIL SCSI.Sanitize.Overwrite \(no baseline' "a failure"
expect_match "$told" '^none iSCSI.iSCSITMF.AbortTaskSimpleAsync' "a test without a result"
expect_match "$told" ': 5 tests in .* 3 complaints$' "the summary"
! grep -q 'Sanitize.Reset\|content' <<< "$told" || fail "a skip that nobody passes is no complaint"
expect_match "$(judged || true)" 'SCSI.Write16.Simple: iscsi-test-cu has no such test' "a lost test"

cat > "$work/exceptions" << 'EXCEPTIONS'
SCSI.Read6.BeyondEol | SBC-3 5.1 | for this test
SCSI.Sanitize.Overwrite | SBC-3 5.1 | for this test
EXCEPTIONS
judged --only Read6 --exceptions "$work/exceptions" > "$work/told" || fail "an exception does not help"
echo 'SCSI.Read6.Simple | SBC-3 5.1 | nobody needs it' >> "$work/exceptions"
refused "an exception that nobody needs" \
  "$peers/test-cu" iscsi://nowhere/none/0 --program "$work/stand-in" --only Read6 \
  --exceptions "$work/exceptions"
