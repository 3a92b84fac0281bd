# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154,SC2329 # one script of several files
# Isolates this host from the inside, or undoes that.
#
# Takes CORDON_MODE (apply, undo), CORDON_CHANNEL (yes, no), CORDON_ENDPOINTS (addresses or CIDRs
# that the Systems Manager agent talks to on port 443), CORDON_RESOLVERS (addresses for DNS) and
# CORDON_PROBE (a host name to try after applying), each a list with commas.
#
# What is there stays as it is: our rules are a table (nftables) or a chain (iptables) of their own
# that drops all the rest, so taking them away restores the host exactly. The rules seen before are
# kept in a file only root reads, to prove that. With a channel, the path that undo needs is tried
# after applying, and rules that closed it are taken away at once. Without one, the agent could not
# report any more: the rules come into force a few seconds after this script's report, and only the
# console, or a reboot, takes them away. An attacker who is root can take them away as well.

state=$root/var/lib/cordon/host-firewall
delay=${CORDON_DELAY:-10}
metadata_v4=169.254.169.254
metadata_v6=fd00:ec2::254
backend=''

# family 4|6 LIST: those addresses of a list, with commas between.
family() {
    local address found=''
    IFS=, read -ra addresses <<<"$2"
    for address in ${addresses[@]+"${addresses[@]}"}; do
        case $1$address in
        4*:* | 6*.*) ;;
        6*:* | 4*.*) found+="${found:+,}$address" ;;
        esac
    done
    printf '%s' "$found"
}

# Refuses what would leave the host open, or would lock out the undo.
check_request() {
    case ,$CORDON_ENDPOINTS,$CORDON_RESOLVERS, in
    */0,*) finish "$REFUSED" 'a network /0 would leave the host open: name the endpoints' ;;
    esac
    if [ "$CORDON_CHANNEL" = yes ] && [ -z "$CORDON_ENDPOINTS" ]; then
        finish "$REFUSED" 'a channel needs the addresses of its endpoints'
    fi
}

has_ipv6() { [ -s "$root/proc/net/if_inet6" ]; }

choose_backend() {
    if nft_ready; then
        backend=nft
    elif iptables_ready; then
        if has_ipv6 && [ "$families" = 4 ]; then
            finish "$UNSUPPORTED" 'iptables works but ip6tables does not: IPv6 would stay open'
        fi
        backend=iptables
    else
        finish "$UNSUPPORTED" 'neither nft nor iptables works on this host'
    fi
}

# The backend that applied is the one that undoes.
recall_backend() {
    backend=$(head -n 1 "$state/backend")
    case $backend in
    nft | iptables) ;;
    *) finish "$FAILED" 'the record of what was applied is damaged' ;;
    esac
    "${backend}_ready" || finish "$FAILED" "$backend, which holds the rules, does not work any more"
}

# Whether the agent's path is open: the probe's name, or else the first endpoint that is one address.
# Nothing to try (networks only, no name) counts as open and is said.
path_open() {
    local peer target=$CORDON_PROBE
    if [ -z "$target" ]; then
        for peer in ${CORDON_ENDPOINTS//,/ }; do
            case $peer in
            */*) ;;
            *) target=$peer && break ;;
            esac
        done
    fi
    if [ -z "$target" ]; then
        fact probed 'nothing to try'
        return 0
    fi
    fact probed "$target"
    # shellcheck disable=SC2016 # the inner bash expands it
    timeout 10 bash -c 'exec 3<>"/dev/tcp/$0/443"' "$target" 2>/dev/null
}

apply() {
    local present=yes
    check_request
    "${backend}_present" || present=''
    mkdir -p "$state"
    chmod 700 "$state"
    if [ -z "$present" ]; then "${backend}_save" "$state/previous"; fi
    printf '%s\n' "$backend" >"$state/backend"
    if ! "${backend}_prepare" 2>"$state/error"; then
        finish "$FAILED" "the host refuses the rules, nothing was changed: $(said "$state/error")"
    fi
    if [ "$CORDON_CHANNEL" = no ]; then
        declare -f iptables_restore "${backend}_apply" >"$state/later"
        printf 'sleep %d\nstate=%q\nfamilies=%q\n%s_apply\n' \
            "$delay" "$state" "$families" "$backend" >>"$state/later"
        setsid nohup bash "$state/later" >/dev/null 2>&1 </dev/null &
        count in_seconds "$delay"
        finish "$DONE" 'the rules come into force after this report; only the console undoes them'
    fi
    if ! "${backend}_apply" 2>"$state/error"; then
        "${backend}_undo" || finish "$FAILED" 'the rules are half in force and could not be taken away'
        finish "$FAILED" "the host refused the rules, nothing is left: $(said "$state/error")"
    fi
    if ! "${backend}_holds"; then
        finish "$FAILED" 'the rules were accepted but do not stand as written'
    fi
    if ! path_open; then
        "${backend}_undo" || finish "$FAILED" 'the agent is cut off and the rules could not be taken away'
        finish "$FAILED" "the agent's path was closed: the rules were taken away again"
    fi
    finish "$DONE" "isolated from the inside${present:+, again}"
}

undo() {
    if ! "${backend}_present"; then
        rm -rf -- "$state"
        finish "$DONE" 'nothing to undo'
    fi
    "${backend}_undo" || finish "$FAILED" 'the rules could not be taken away'
    if "${backend}_present"; then finish "$FAILED" 'the rules are still in force'; fi
    if [ -f "$state/previous" ]; then
        "${backend}_save" "$state/now"
        if cmp -s "$state/previous" "$state/now"; then
            fact drift none
        else
            fact drift 'other rules changed meanwhile and were left as they are'
        fi
    else
        fact drift unknown
    fi
    rm -rf -- "$state"
    finish "$DONE" 'the rules were taken away'
}

if [ "$CORDON_MODE" = undo ] && [ -s "$state/backend" ]; then
    recall_backend
else
    choose_backend
fi
fact backend "$backend"
"$CORDON_MODE"
