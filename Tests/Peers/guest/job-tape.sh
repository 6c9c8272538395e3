# ecopy and the st driver. Settings: portal digest disk_target tape_target disk_sum
iscsi_up
login "$disk_target" || fail "login to the disk"
login "$tape_target" || fail "login to the tape"
appears /dev/sda
appears /dev/nst0

ecopy() { /opt/extra/ecopy "$@" > /tmp/ecopy.out 2> /tmp/ecopy.err; }
must() { "$@" || fail "$*: exit $?: $(cat /tmp/ecopy.err)"; }
# dd up to the next filemark. Records have the length that is asked for, or less than half of it:
# tgtd 1.0.85 gives wrong bytes to other reads.
tape_sum() { dd if=/dev/nst0 bs="$1" 2> /dev/null | sha256sum | cut -d ' ' -f 1; }

ecopy doctor || true
grep -q '^PASS *kernel: Linux 6.1' /tmp/ecopy.out || fail "doctor: $(cat /tmp/ecopy.out)"
grep '^[A-Z]* *\(io_uring\|locked memory\)' /tmp/ecopy.out | while read -r line; do say "$line"; done

# To the tape and back.
# An empty tape of tgtd gives the st driver records without end, so it looks like one with data.
must ecopy copy /dev/sda /dev/nst0 --block-size 256KiB --filemark --overwrite --progress none
mt rewind
[ "$(tape_sum 256k)" = "$disk_sum" ] || fail "dd reads something else"
say "a disk is on the tape"
mt rewind
must ecopy copy /dev/nst0 /tmp/back --block-size 256KiB --progress none
[ "$(sum_of /tmp/back)" = "$disk_sum" ] || fail "the disk that came back is another one"
say "and came back"

# A tape with data is kept. This drive does not tell where it stands (READ POSITION of tgtd is a
# stub), so what lies behind the end of data has no number, and nothing is appended there.
mt rewind
head -c 1000001 /dev/sda > /tmp/odd
ecopy copy /tmp/odd /dev/nst0 --progress none && fail "a tape that holds data was overwritten"
ecopy copy /tmp/odd /dev/nst0 --append --progress none && fail "appended at a place nobody knows"
mt rewind
[ "$(tape_sum 256k)" = "$disk_sum" ] || fail "a copy that was refused changed the tape"
say "what it holds is kept"

# Two files in odd records, the last of the first one short, and a filemark behind each.
must ecopy copy /tmp/odd /dev/sda /dev/nst0 --block-size 98304 --filemark --overwrite --progress none
mt rewind
records() { dd if=/dev/nst0 of=/dev/null bs=98304 2>&1 | sed -n 's/ records in$//p'; }
[ "$(records) $(records)" = "10+1 128+0" ] || fail "the records are others"
mt rewind
must ecopy copy /dev/nst0 /tmp/back --block-size 98304 --progress none
cmp /tmp/odd /tmp/back || fail "the first file came back as another one"
mt rewind
mt fsf 1
must ecopy copy /dev/nst0 /tmp/back --block-size 98304 --progress none
[ "$(sum_of /tmp/back)" = "$disk_sum" ] || fail "the second file came back as another one"
say "filemarks and odd records are where they belong"

# A user who may lock 64 KiB of memory: no registered buffers, the same bytes.
chmod 666 /dev/nst0 /dev/sda
as_user() {
  setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all \
    /bin/busybox sh -c 'ulimit -l 64; exec /opt/extra/ecopy "$@"' ecopy "$@" \
    > /tmp/ecopy.out 2> /tmp/ecopy.err
}
as_user doctor || true
grep '^[A-Z]* *locked memory' /tmp/ecopy.out > /tmp/locked || fail "doctor: $(cat /tmp/ecopy.out /tmp/ecopy.err)"
grep -q 'not registered' /tmp/locked || fail "doctor does not see the limit: $(cat /tmp/locked)"
say "$(cat /tmp/locked)"
must as_user copy /dev/sda /dev/nst0 --block-size 1MiB --filemark --overwrite --verbose --progress none
grep -q 'not registered\|unregistered' /tmp/ecopy.err || fail "buffers: $(cat /tmp/ecopy.err)"
mt rewind
[ "$(tape_sum 1M)" = "$disk_sum" ] || fail "unregistered buffers: other bytes"
say "without registered buffers: the same bytes"
