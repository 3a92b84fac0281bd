# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154,SC2329 # one script of several files
# The host firewall by iptables: a chain of our own, first in the three chains it judges, for each
# address family.

tables() { # tables ipv4|ipv6 ARGUMENTS: that family's iptables
    local program=iptables
    if [ "$1" = 6 ]; then program=ip6tables; fi
    shift
    "$program" -w 10 "$@"
}

families=''

iptables_ready() { # sets `families`: those that work
    have iptables && iptables -w 10 -S >/dev/null 2>&1 || return 1
    families=4
    if have ip6tables && ip6tables -w 10 -S >/dev/null 2>&1; then families='4 6'; fi
}

iptables_rules() { # iptables_rules 4|6: lines for iptables-restore --noflush, one transaction
    local chain metadata=$metadata_v4 peer
    if [ "$1" = 6 ]; then metadata=$metadata_v6; fi
    printf '*filter\n:CORDON - [0:0]\n'
    for chain in INPUT OUTPUT FORWARD; do
        if tables "$1" -C "$chain" -j CORDON 2>/dev/null; then
            printf -- '-D %s -j CORDON\n' "$chain"
        fi
        printf -- '-I %s 1 -j CORDON\n' "$chain"
    done
    printf -- '-A CORDON -i lo -j ACCEPT\n-A CORDON -o lo -j ACCEPT\n'
    if [ "$CORDON_CHANNEL" = yes ]; then
        for peer in $(family "$1" "$CORDON_ENDPOINTS" | tr , ' '); do iptables_peer "$peer" tcp 443; done
        for peer in $(family "$1" "$CORDON_RESOLVERS" | tr , ' '); do
            iptables_peer "$peer" udp 53
            iptables_peer "$peer" tcp 53
        done
        iptables_peer "$metadata" tcp 80
        if [ "$1" = 4 ]; then
            printf -- '-A CORDON -p udp -m udp --sport 68 --dport 67 -j ACCEPT\n'
            printf -- '-A CORDON -p udp -m udp --sport 67 --dport 68 -j ACCEPT\n'
        else
            printf -- '-A CORDON -p udp -m udp --sport 546 --dport 547 -j ACCEPT\n'
            printf -- '-A CORDON -p udp -m udp --sport 547 --dport 546 -j ACCEPT\n'
            for peer in 133 134 135 136; do
                printf -- '-A CORDON -p icmpv6 -m icmp6 --icmpv6-type %d -j ACCEPT\n' "$peer"
            done
        fi
    fi
    printf -- '-A CORDON -j DROP\nCOMMIT\n'
}

iptables_peer() { # iptables_peer ADDRESS PROTOCOL PORT: to it, and back from it
    printf -- '-A CORDON -d %s -p %s -m %s --dport %d -j ACCEPT\n' "$1" "$2" "$2" "$3"
    printf -- '-A CORDON -s %s -p %s -m %s --sport %d -m conntrack --ctstate ESTABLISHED -j ACCEPT\n' \
        "$1" "$2" "$2" "$3"
}

iptables_present() { tables 4 -S CORDON >/dev/null 2>&1 || tables 6 -S CORDON >/dev/null 2>&1; }
iptables_save() {
    local number
    for number in $families; do
        printf '# IPv%s\n' "$number"
        tables "$number" -S
    done >"$1"
}
iptables_restore() { # iptables_restore FLAG…: our lines through each family's restore
    local number
    for number in $families; do
        case $number in
        4) iptables-restore -w 10 --noflush "$@" <"$state/rules4" ;;
        6) ip6tables-restore -w 10 --noflush "$@" <"$state/rules6" ;;
        esac || return 1
    done
}
iptables_prepare() {
    local number
    for number in $families; do iptables_rules "$number" >"$state/rules$number"; done
    iptables_restore --test
}
iptables_apply() { iptables_restore; }
iptables_holds() {
    local number chain
    for number in $families; do
        for chain in INPUT OUTPUT FORWARD; do
            [ "$(tables "$number" -S "$chain" 1)" = "-A $chain -j CORDON" ] || return 1
        done
        [ "$(tables "$number" -S CORDON | tail -n 1)" = '-A CORDON -j DROP' ] || return 1
    done
}
iptables_undo() {
    local number chain
    for number in $families; do
        tables "$number" -S CORDON >/dev/null 2>&1 || continue
        for chain in INPUT OUTPUT FORWARD; do
            while tables "$number" -C "$chain" -j CORDON 2>/dev/null; do
                tables "$number" -D "$chain" -j CORDON || return 1
            done
        done
        tables "$number" -F CORDON && tables "$number" -X CORDON || return 1
    done
}
