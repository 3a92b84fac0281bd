# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154,SC2329 # one script of several files
# Shared by every script; the document puts it before the script's own lines.
#
# A script talks on stderr and ends with one JSON line on stdout: document, code, message, and what
# it found. `code` is also the exit code. CORDON_ROOT stands for / in tests.
set -euo pipefail
umask 077
export LC_ALL=C AWS_PAGER='' AWS_MAX_ATTEMPTS=3
root=${CORDON_ROOT:-}
PATH=$PATH:$root/usr/local/bin:$root/snap/bin

# contract.ScriptExit
readonly DONE=0 REFUSED=10 UNSUPPORTED=20 LOCKDOWN=21 NO_VAULT=22 TAMPERED=23 FAILED=24

work='' facts='' finished=''

# clean TEXT: one line without quotes, backslashes or control characters, at most 300 long. What a
# hostile host says is shown in a report.
clean() {
    local unsafe="[^A-Za-z0-9 ._:;/+=,()@~%'-]"
    local text=${1//$unsafe/_}
    printf '%s' "${text:0:300}"
}

# fact NAME TEXT and count NAME NUMBER: add to the JSON line.
fact() { facts+=",\"$1\":\"$(clean "$2")\""; }
count() { facts+=",\"$1\":$2"; }

# finish CODE MESSAGE: prints the JSON line and ends the script. Never inside $(…).
finish() {
    finished=yes
    printf '{"document":"%s","code":%d,"message":"%s"%s}\n' \
        "$CORDON_DOCUMENT" "$1" "$(clean "$2")" "$facts"
    exit "$1"
}

# Overridden by scripts that must put something back, whatever happened.
tidy() { :; }

on_exit() {
    local code=$?
    tidy
    [ -z "$work" ] || rm -rf -- "$work"
    if [ -z "$finished" ]; then
        printf '{"document":"%s","code":%d,"message":"ended unexpectedly (exit %d)"%s}\n' \
            "$CORDON_DOCUMENT" "$FAILED" "$code" "$facts"
        exit "$FAILED"
    fi
}
trap on_exit EXIT

have() { command -v "$1" >/dev/null 2>&1; }

# said FILE: the last two lines that a command wrote, for messages.
said() { { grep -v '^ *$' -- "$1" 2>/dev/null || :; } | tail -n 2 | tr '\n' ' '; }

# Sets `work`: a folder of root's own that may hold a program, in memory where the host has that, so
# that nothing of the disk is overwritten. Hardened hosts mount some of these noexec.
make_work() {
    local folder
    for folder in "$root/dev/shm" "$root/run" "$root/tmp" "$root/var/tmp"; do
        work=$(mktemp -d "$folder/cordon.XXXXXXXX" 2>/dev/null) || continue
        printf '#!/bin/sh\nexit 0\n' >"$work/probe"
        chmod 700 "$work/probe"
        if "$work/probe" 2>/dev/null; then return; fi
        rm -rf -- "$work"
    done
    work=''
    finish "$UNSUPPORTED" 'no folder of this host may hold a program'
}

# vault ARGUMENTS: the AWS CLI with this instance's own role; gives up soon where there is no path.
vault() {
    aws --region "$CORDON_REGION" --cli-connect-timeout 10 --cli-read-timeout 60 "$@"
}

# put FILE KEY [OPTION…]: stores a file, or stdin for `-`. Object Lock buckets want a checksum.
put() {
    local file=$1 key=$2
    shift 2
    vault s3 cp "$file" "s3://$CORDON_BUCKET/$key" --checksum-algorithm SHA256 --only-show-errors "$@"
}
