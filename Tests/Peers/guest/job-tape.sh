# ecopy and the st driver. Settings: portal digest disk_target tape_target disk_sum
iscsi_up
login "$disk_target" || fail "login to the disk"
login "$tape_target" || fail "login to the tape"
appears /dev/sda
appears /dev/nst0

ecopy() { /extra/ecopy "$@" > /tmp/ecopy.out 2> /tmp/ecopy.err; }
must() { "$@" || fail "$*: exit $?: $(cat /tmp/ecopy.err)"; }
read_tape() { dd if=/dev/nst0 bs=2M 2> /dev/null; }

ecopy doctor || true
grep -q '^PASS *kernel: Linux 6.1' /tmp/ecopy.out || fail "doctor: $(cat /tmp/ecopy.out)"
grep '^[A-Z]* *\(io_uring\|locked memory\)' /tmp/ecopy.out | while read -r line; do say "$line"; done

# To the tape and back; records are seen by dd, whose reads are twice as long and more.
# An empty tape of tgtd gives the st driver records without end, so it looks like one with data.
must ecopy copy /dev/sda /dev/nst0 --block-size 256KiB --filemark --overwrite --progress none
mt rewind
[ "$(read_tape | sha256sum | cut -d ' ' -f 1)" = "$disk_sum" ] || fail "dd reads something else"
say "a disk is on the tape"
mt rewind
must ecopy copy /dev/nst0 /tmp/back --block-size 256KiB --progress none
[ "$(sum_of /tmp/back)" = "$disk_sum" ] || fail "the disk that came back is another one"
say "and came back"

# A tape with data is kept. This drive does not tell where it stands (READ POSITION of tgtd is a stub), so
# what lies behind the end of data has no number and nothing is appended there; a position that
# is named is found by rewinding and spacing. 49 objects: 48 records and a filemark.
mt rewind
head -c 1000001 /dev/sda > /tmp/odd
ecopy copy /tmp/odd /dev/nst0 --progress none && fail "a tape that holds data was overwritten"
ecopy copy /tmp/odd /dev/nst0 --append --progress none && fail "appended at a place nobody knows"
must ecopy copy /tmp/odd /dev/nst0,position=49 --block-size 99999 --filemark --overwrite \
  --progress none
mt rewind
mt fsf 1
[ "$(read_tape | sha256sum | cut -d ' ' -f 1)" = "$(sum_of /tmp/odd)" ] || fail "dd reads another file"
must ecopy copy /dev/nst0,position=49 /tmp/back --block-size 99999 --progress none
cmp /tmp/odd /tmp/back || fail "the file behind the filemark is another one"
say "filemarks, odd records and the end of data are where they belong"

# A user who may lock 64 KiB of memory: no registered buffers, the same bytes.
chmod 666 /dev/nst0 /dev/sda
as_user() {
  setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all \
    /bin/busybox sh -c 'ulimit -l 64; exec /extra/ecopy "$@"' ecopy "$@" \
    > /tmp/ecopy.out 2> /tmp/ecopy.err
}
as_user doctor || true
grep '^[A-Z]* *locked memory' /tmp/ecopy.out > /tmp/locked || fail "doctor: $(cat /tmp/ecopy.out)"
grep -q '64 KiB' /tmp/locked || fail "doctor does not see the limit: $(cat /tmp/locked)"
say "$(cat /tmp/locked)"
must as_user copy /dev/sda /dev/nst0,position=61 --block-size 1MiB --filemark --overwrite --verbose \
  --progress none
grep -q 'not registered\|unregistered' /tmp/ecopy.err || fail "buffers: $(cat /tmp/ecopy.err)"
mt rewind
mt fsf 2
[ "$(read_tape | sha256sum | cut -d ' ' -f 1)" = "$disk_sum" ] || fail "unregistered buffers: other bytes"
say "without registered buffers: the same bytes"
