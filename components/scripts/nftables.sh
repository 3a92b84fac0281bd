# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153,SC2154,SC2329 # one script of several files
# The host firewall by nftables: a table of our own. Priority 10 comes after address translation, so
# that the peer judged is the peer really talked to.

nft_allow() { # nft_allow VERSION ENDPOINTS RESOLVERS METADATA: rules of one family, both ways
    local in=$1 out=$1
    in+=' saddr' out+=' daddr'
    if [ -n "$2" ]; then
        input+="        $in { $2 } tcp sport 443 ct state established accept"$'\n'
        output+="        $out { $2 } tcp dport 443 accept"$'\n'
    fi
    if [ -n "$3" ]; then
        input+="        $in { $3 } udp sport 53 ct state established accept"$'\n'
        input+="        $in { $3 } tcp sport 53 ct state established accept"$'\n'
        output+="        $out { $3 } udp dport 53 accept"$'\n'
        output+="        $out { $3 } tcp dport 53 accept"$'\n'
    fi
    input+="        $in $4 tcp sport 80 ct state established accept"$'\n'
    output+="        $out $4 tcp dport 80 accept"$'\n'
}

nft_rules() {
    local input='' output='' neighbours
    if [ "$CORDON_CHANNEL" = yes ]; then
        nft_allow ip "$(family 4 "$CORDON_ENDPOINTS")" "$(family 4 "$CORDON_RESOLVERS")" "$metadata_v4"
        nft_allow ip6 "$(family 6 "$CORDON_ENDPOINTS")" "$(family 6 "$CORDON_RESOLVERS")" "$metadata_v6"
        # Without its lease and its neighbours the host would lose the channel after a while.
        neighbours='icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept'
        input+="        udp sport 67 udp dport 68 accept"$'\n'
        input+="        udp sport 547 udp dport 546 accept"$'\n'"        $neighbours"$'\n'
        output+="        udp sport 68 udp dport 67 accept"$'\n'
        output+="        udp sport 546 udp dport 547 accept"$'\n'"        $neighbours"$'\n'
    fi
    # Declared, deleted and declared again: one transaction, whether or not it was there.
    cat <<END
table inet cordon
delete table inet cordon
table inet cordon {
    chain input {
        type filter hook input priority 10; policy drop;
        iifname "lo" accept
$input    }
    chain output {
        type filter hook output priority 10; policy drop;
        oifname "lo" accept
$output    }
    chain forward {
        type filter hook forward priority 10; policy drop;
    }
}
END
}

nft_ready() { have nft && nft -s list ruleset >/dev/null 2>&1; }
nft_present() { nft list table inet cordon >/dev/null 2>&1; }
nft_save() { nft -s list ruleset >"$1"; }
nft_prepare() {
    nft_rules >"$state/rules"
    nft -c -f "$state/rules"
}
nft_apply() { nft -f "$state/rules"; }
nft_holds() { [ "$(nft list table inet cordon | grep -c 'policy drop;')" -eq 3 ]; }
nft_undo() { ! nft_present || nft delete table inet cordon; }
