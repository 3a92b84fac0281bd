# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154,SC2329 # one script of several files
# Collects what a reboot would lose, read-only, each part bounded in time and size.
#
# Takes CORDON_BUCKET, CORDON_REGION and CORDON_KEY (the object to write). With an empty key it
# prints the first 16,000 bytes instead, where whoever may read command output can see them: command
# lines may hold secrets. Process environments are left out for that reason.

limit=262144

# part NAME COMMAND…: one section. A command this host lacks, or that fails, says so.
part() {
    local name=$1 code=0
    shift
    printf '\n=== %s: %s\n' "$name" "$*"
    if ! have "$1"; then
        printf '(not on this host)\n'
        return
    fi
    timeout 20 "$@" >"$work/part" 2>&1 </dev/null || code=$?
    head -c "$limit" "$work/part"
    if [ "$(wc -c <"$work/part")" -gt "$limit" ]; then printf '\n(cut at %d bytes)\n' "$limit"; fi
    if [ "$code" -ne 0 ]; then printf '(exit %d)\n' "$code"; fi
}

# What each process runs from; `(deleted)` after a path is worth a look.
executables() {
    local link
    for link in "$root"/proc/[0-9]*/exe; do
        printf '%s %s\n' "${link%/exe}" "$(readlink "$link" 2>/dev/null || printf '?')"
    done
}

collect() {
    part time date -u +%Y-%m-%dT%H:%M:%SZ
    part system uname -a
    part uptime uptime
    part users who -a
    part logins last -n 50 -w
    part processes ps -eo pid,ppid,uid,user,lstart,tty,stat,args --width 1000
    printf '\n=== executables: /proc/*/exe\n'
    executables | head -c "$limit"
    if have ss; then part sockets ss -tuanpe; else part sockets netstat -tuanp; fi
    part addresses ip address
    part routes ip route show table all
    part neighbours ip neighbour
    part modules lsmod
    part mounts cat "$root/proc/mounts"
    part 'open deleted files' lsof -n -P +L1
    part services systemctl list-units --all --no-pager --no-legend
    part timers systemctl list-timers --all --no-pager --no-legend
    part containers docker ps --all --no-trunc
    part 'nftables rules' nft list ruleset
    part 'iptables rules' iptables -w 10 -S
    part 'kernel log' dmesg
}

make_work
collect >"$work/volatile.txt"
fact sha256 "$(sha256sum "$work/volatile.txt" | cut -d ' ' -f 1)"
count size "$(wc -c <"$work/volatile.txt" | tr -d ' ')"
if [ -z "$CORDON_KEY" ]; then
    head -c 16000 "$work/volatile.txt"
    printf '\n'
    finish "$DONE" 'printed, the first 16,000 bytes'
fi
fact key "$CORDON_KEY"
have aws || finish "$UNSUPPORTED" 'the AWS CLI is not on this host; nothing was kept'
if ! put "$work/volatile.txt" "$CORDON_KEY" >&2 2>"$work/error"; then
    finish "$NO_VAULT" "can't write to the vault: $(said "$work/error")"
fi
finish "$DONE" 'kept in the vault'
