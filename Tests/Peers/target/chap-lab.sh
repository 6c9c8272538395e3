# Sourced by tests: the lab, and beside it a target $chap_name that wants mutual CHAP: alice with
# alice-password-1, and itself target with target-password-2. MD5 is allowed, since these peers know
# nothing newer.
chap_name=iqn.2026-11.org.ecopy:chap
[ "${PEER_TARGET:-ecopyd}" = tgtd ] || [ -r "$root/examples/lab.yaml" ] || fail "no lab.yaml"
(
  umask 077
  printf 'alice-password-1' > "$work/alice.secret"
  printf 'target-password-2' > "$work/target.secret"
)
{
  cat "$root/examples/lab.yaml" 2> /dev/null || true
  cat << RULE
  - name: $chap_name
    access:
      - initiators: any
        authentication:
          chap:
            user: alice
            secret-file: alice.secret
            mutual: {user: target, secret-file: target.secret}
            allow-legacy: true
        units: {0: guarded}
RULE
} | sed 's/^units:$/units:\n  guarded: {file: guarded.img, size: 16 MiB}/' > "$work/chap.yaml"
lab_start "$work/chap.yaml"
chap_url() { # [USER%PASSWORD [QUERY]]
  printf 'iscsi://%s%s/%s/%s%s' "${1:+$1@}" "$lab_portal" "$chap_name" "$(lab_lun 0)" "${2:-}"
}
