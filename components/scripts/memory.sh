# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154,SC2329 # one script of several files
# Captures this host's memory to the vault, as a stream: nothing of it is written to a disk here.
#
# Takes CORDON_BUCKET, CORDON_REGION, CORDON_KEY (the object to write) and CORDON_TOOLS: pairs
# `name=sha256`, with commas between, of what is staged in the vault under tools/<sha256>/<name>.
# AVML is tried first, then the LiME module for this very kernel. Neither is built nor downloaded
# from anywhere else, and neither runs before its digest is right. Uses the instance's own role.

# digest_of NAME: the digest given for a tool, or nothing.
digest_of() {
    local pair
    IFS=, read -ra pairs <<<"$CORDON_TOOLS"
    for pair in "${pairs[@]}"; do
        if [ "${pair%=*}" = "$1" ]; then printf '%s' "${pair##*=}"; fi
    done
}

# fetch NAME DIGEST: sets `tool` to a verified copy.
fetch() {
    tool=$work/$2
    if ! vault s3 cp "s3://$CORDON_BUCKET/tools/$2/$1" "$tool" --only-show-errors >&2 2>"$work/error"; then
        finish "$NO_VAULT" "can't fetch $1 from the vault: $(said "$work/error")"
    fi
    if [ "$(sha256sum "$tool" | cut -d ' ' -f 1)" != "$2" ]; then
        rm -f -- "$tool"
        finish "$TAMPERED" "$1 in the vault is not what its digest says; it was not run"
    fi
    chmod 700 "$tool"
}

# Where AVML reads: named, because when left to choose it starts again at another source, which a
# stream can't.
memory_source() {
    local source
    for source in /proc/kcore /dev/crash /dev/mem; do
        if [ -r "$root$source" ]; then
            printf '%s' "$source"
            return
        fi
    done
}

capture_avml() {
    local words=()
    if "$tool" --help 2>&1 | grep -q '^ *acquire '; then words=(acquire); fi
    "$tool" ${words[@]+"${words[@]}"} --source "$(memory_source)" /dev/stdout
}

lime_port=${CORDON_LIME_PORT:-4444}

# LiME sends to whoever connects; localhostonly keeps that to this host.
capture_lime() {
    local loader tries=100 code=0
    insmod "$tool" "path=tcp:$lime_port format=lime localhostonly=1" >&2 &
    loader=$!
    until { exec 3<>"/dev/tcp/127.0.0.1/$lime_port"; } 2>/dev/null; do
        tries=$((tries - 1))
        if [ "$tries" -eq 0 ] || ! kill -0 "$loader" 2>/dev/null; then
            return 1
        fi
        sleep 0.1
    done
    cat <&3 || code=1
    exec 3>&-
    wait "$loader" || code=1
    return "$code"
}

lime_loaded=''
tidy() {
    if [ -n "$lime_loaded" ]; then rmmod lime >&2 2>/dev/null || :; fi
}

# watch: what four readers of the stream find, in files of `work`. `grep -z` keeps runs of zeros,
# which may be gigabytes, from becoming one line; the `cat` drains what it leaves.
watch() {
    mkfifo "$work/1" "$work/2" "$work/3" "$work/4"
    sha256sum <"$work/1" >"$work/sha256" &
    wc -c <"$work/2" >"$work/size" &
    { tr -d '\0' | wc -c; } <"$work/3" >"$work/nonzero" &
    {
        head -c 4 >"$work/magic"
        grep -z -a -o -m 1 'Linux version [0-9][ -~]*' | tr -d '\0' >"$work/banner"
        cat >/dev/null
    } <"$work/4" &
}

# attempt METHOD: captures once; sets `problem`, empty when the capture is good.
attempt() {
    local codes size nonzero banner
    problem=''
    rm -f -- "$work"/[1-4]
    watch
    set +e
    "capture_$1" 2>"$work/error" | tee "$work/1" "$work/2" "$work/3" "$work/4" |
        put - "$CORDON_KEY" --expected-size $((memory * 2)) >&2 2>"$work/put-error"
    codes=("${PIPESTATUS[@]}")
    wait
    set -e
    size=$(tr -d ' ' <"$work/size")
    nonzero=$(tr -d ' ' <"$work/nonzero")
    banner=$(head -c 200 "$work/banner")
    facts=$start
    fact method "$1"
    fact sha256 "$(cut -d ' ' -f 1 "$work/sha256")"
    count size "$size"
    count nonzero "$nonzero"
    fact banner "$banner"
    if [ "${codes[2]}" -ne 0 ]; then
        problem="$1: the vault did not take the capture: $(said "$work/put-error")"
    elif [ "${codes[0]}" -ne 0 ] || [ "${codes[1]}" -ne 0 ]; then
        problem="$1: the capture broke off: $(said "$work/error")"
    elif [ "$size" -lt "$memory" ]; then
        problem="$1: the capture has $size bytes, less than the memory's $memory"
    elif [ "$(cat "$work/magic")" != EMiL ]; then
        problem="$1: the capture does not begin as a LiME image"
    elif [ "$((nonzero * 1000))" -lt "$size" ]; then
        problem="$1: the capture is all but zeros ($nonzero bytes are not)"
    elif [ -z "$banner" ]; then
        problem="$1: the capture holds no kernel banner"
    fi
}

have aws || finish "$UNSUPPORTED" 'the AWS CLI is not on this host; memory was not captured'
make_work

kernel=$(uname -r)
case $(uname -m) in
x86_64) avml='avml-x86_64' ;;
aarch64) avml='avml-arm64' ;;
*) avml='' ;;
esac
memory=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' "$root/proc/meminfo") * 1024))
mode=$(sed -n 's/.*\[\([a-z]*\)\].*/\1/p' "$root/sys/kernel/security/lockdown" 2>/dev/null || :)
lockdown=${mode:-none}
fact kernel "$kernel"
fact lockdown "$lockdown"
count memory "$memory"
fact key "$CORDON_KEY"
start=$facts

if [ "$lockdown" = confidentiality ]; then
    finish "$LOCKDOWN" 'the kernel is locked down (confidentiality): its memory cannot be read'
fi
methods=()
digest_avml=$(digest_of "$avml")
digest_lime=$(digest_of "lime-$kernel.ko")
if [ -n "$digest_avml" ] && [ -n "$(memory_source)" ]; then methods+=(avml); fi
if [ -n "$digest_lime" ]; then methods+=(lime); fi
if [ "${#methods[@]}" -eq 0 ]; then
    finish "$UNSUPPORTED" "no capture tool is staged for $(uname -m), kernel $kernel"
fi

# A small object first: it proves the way to the vault before anything touches the kernel.
printf '{"kernel":"%s","memory":%d,"began":"%s"}\n' \
    "$(clean "$kernel")" "$memory" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$work/began"
if ! put "$work/began" "$CORDON_KEY.began.json" >&2 2>"$work/error"; then
    finish "$NO_VAULT" "can't write to the vault: $(said "$work/error")"
fi

problems=''
for method in "${methods[@]}"; do
    case $method in
    avml) fetch "$avml" "$digest_avml" ;;
    lime)
        fetch "lime-$kernel.ko" "$digest_lime"
        lime_loaded=yes
        ;;
    esac
    attempt "$method"
    if [ -z "$problem" ]; then
        finish "$DONE" "memory captured with $method"
    fi
    problems+="${problems:+; }$problem"
done
if [ "$lockdown" != none ]; then
    finish "$LOCKDOWN" "the kernel is locked down ($lockdown): $problems"
fi
finish "$FAILED" "$problems"
