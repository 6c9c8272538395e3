#!/bin/bash
# iscsi-ls, iscsi-inq, iscsi-readcapacity16 and iscsi-perf see the lab as its configuration says.
. "$(dirname "$0")/../peers.sh"
require iscsi-ls iscsi-inq iscsi-readcapacity16 iscsi-perf
lab_start

listed=$(iscsi-ls -s "iscsi://$lab_portal")
expect_match "$listed" "^Target:$lab_name Portal:$lab_portal,[0-9]+$" "discovery"
# It gives the address of the last block as the size.
expect_match "$listed" "^Lun:$(lab_lun 0) +Type:DIRECT_ACCESS \(Size:51[12]M\)" "LUN 0"
expect_match "$listed" "^Lun:$(lab_lun 1) +Type:DIRECT_ACCESS \(Size:25[56]M\)" "LUN 1"
expect_match "$listed" "^Lun:$(lab_lun 2) +Type:DIRECT_ACCESS" "LUN 2"
expect_equal "$(grep -c 'DIRECT_ACCESS' <<< "$listed")" 3 "logical units"

inquiry=$(iscsi-inq "$(lab_url 0)")
expect_match "$inquiry" 'Peripheral Device Type:DIRECT_ACCESS' "INQUIRY"
pages=$(iscsi-inq -e 1 -c 0 "$(lab_url 0)")
for page in 0x00 0x80 0x83 0xb0 0xb1 0xb2; do
  expect_match "$pages" "Page:$page" "the list of VPD pages"
  iscsi-inq -e 1 -c $((page)) "$(lab_url 0)" > "$work/page" || fail "VPD page $page"
done

capacity=$(iscsi-readcapacity16 "$(lab_url 0)")
expect_match "$capacity" 'RETURNED LOGICAL BLOCK ADDRESS: *1048575$' "the last LBA of LUN 0"
expect_match "$capacity" 'LOGICAL BLOCK LENGTH IN BYTES: *512$' "the block length of LUN 0"
expect_match "$capacity" 'LBPME: *1' "LUN 0 is thin"
capacity=$(iscsi-readcapacity16 "$(lab_url 1)")
expect_match "$capacity" 'RETURNED LOGICAL BLOCK ADDRESS: *65535$' "the last LBA of LUN 1"
expect_match "$capacity" 'LOGICAL BLOCK LENGTH IN BYTES: *4096$' "the block length of LUN 1"

for arguments in "-m 32 -b 2048 -t 2" "-m 32 -b 8 -t 2 -r"; do
  # shellcheck disable=SC2086
  timeout 20 iscsi-perf $arguments "$(lab_url 0)" > "$work/perf.log" 2>&1 || fail "iscsi-perf $arguments"
done
lab_stop
