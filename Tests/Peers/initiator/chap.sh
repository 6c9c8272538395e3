#!/bin/bash
# CHAP with tgtd: one-way, mutual, and everything that must be refused, each with its reason.
. "$(dirname "$0")/../peers.sh"
. "$peers/initiator/copying.sh"
tgt_start
tgt_disk 1 one-way "$work/one-way.img" 4 512
tgt_chap 1 alice alice-password-1
tgt_disk 2 mutual "$work/mutual.img" 4 512
tgt_chap 2 bob bobs-password-1 target target-password-2
random_file "$work/image" $((4 << 20))
credentials='?target-user=target&target-password=target-password-2'

copy "$work/image" "$(tgt_url one-way alice%alice-password-1)"
same_bytes "$work/image" "$work/one-way.img" "one-way CHAP"
copy "$work/image" "$(tgt_url mutual bob%bobs-password-1)$credentials"
same_bytes "$work/image" "$work/mutual.img" "mutual CHAP"

outside() { # URL WHAT
  [ "$(copy_status "$1" "$work/nothing")" != 0 ] || fail "$2: went on"
  ! grep -q 'password-[12]' "$work/ecopy.log" || fail "$2: a password was shown"
  expect_match "$(cat "$work/ecopy.log")" '[Aa]uthentic|CHAP|password|log.?in' "$2: the message"
}
outside "$(tgt_url one-way)" "no name"
outside "$(tgt_url one-way alice%another-password)" "a wrong password"
outside "$(tgt_url one-way carol%alice-password-1)" "a wrong name"
outside "$(tgt_url mutual bob%bobs-password-1)?target-user=target&target-password=another-password" \
  "a target that proves itself with another password"
outside "$(tgt_url mutual bob%bobs-password-1)?target-user=somebody&target-password=target-password-2" \
  "a target with another name"
outside "$(tgt_url one-way alice%alice-password-1)$credentials" "a target that does not prove itself"
