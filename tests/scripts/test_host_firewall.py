"""Isolation from the inside, run against fakes of nft and iptables that keep a rule set."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from contract import Document, ScriptExit
from tests.scripts.conftest import Host, Ran, mode_of

STATE = "var/lib/cordon/host-firewall"
PROBE = {"Probe": "ssm.eu-west-1.amazonaws.com"}
CHANNEL = {
    "Mode": "apply",
    "Channel": "yes",
    "Endpoints": "10.0.1.7,10.0.2.0/24,fd00::7",
    "Resolvers": "10.0.0.2,fd00:ec2::253",
    **PROBE,
}

# Keeps tables in state/nft.json by name. A file is one transaction: all of it, or an error.
NFT = r"""
import json, os, pathlib, re, sys
state = pathlib.Path(os.environ["STATE"])
tables = json.loads((state / "nft.json").read_text())
words = [w for w in sys.argv[1:] if w != "-s"]
if words == ["list", "ruleset"]:
    print("\n".join(tables.values()))
elif words[:2] == ["list", "table"]:
    print(tables.get(" ".join(words[2:])) or sys.exit("Error: No such file or directory"))
elif words[:2] == ["delete", "table"]:
    if (state / "stuck").exists():
        sys.exit("Error: Operation not permitted")
    tables.pop(" ".join(words[2:]))
else:
    text = pathlib.Path(words[words.index("-f") + 1]).read_text()
    if (state / "refuse").exists() or re.search(r"\{ *,|, *\}|\{ *\}", text):
        sys.exit("Error: syntax error")
    declared, deleted, body = re.fullmatch(
        r"table (.+)\ndelete table (.+)\n(table .+ \{.*\})\n", text, re.S).groups()
    assert declared == deleted and body.startswith(f"table {declared} {{")
    if "-c" not in words:
        if (state / "lose").exists():
            body = body.replace("policy drop", "policy accept")
        tables[declared] = body
(state / "nft.json").write_text(json.dumps(tables))
"""

# Keeps chains of one family in state/<4|6>.json: name to rules, built-in ones with a policy.
IPTABLES = """
import json, os, pathlib, shlex, sys
state = pathlib.Path(os.environ["STATE"])
name = "FAMILY"
file = state / f"{name}.json"
chains = json.loads(file.read_text())
words = sys.argv[1:]
assert words[:2] == ["-w", "10"], words
words = words[2:]

def show(chain):
    head = f"-P {chain} ACCEPT" if chain in ("INPUT", "FORWARD", "OUTPUT") else f"-N {chain}"
    return [head] + [f"-A {chain} {rule}" for rule in chains[chain]]

def run(words):
    verb, chain, rest = words[0], words[1] if len(words) > 1 else "", " ".join(words[2:])
    if verb == "-S" and not chain:
        print("\\n".join(line for c in chains for line in show(c)))
        return
    if chain not in chains:
        sys.exit("iptables: No chain/target/match by that name.")
    if verb == "-S":
        print(show(chain)[int(rest)] if rest else "\\n".join(show(chain)))
    elif verb == "-C" and rest not in chains[chain]:
        sys.exit(1)
    elif verb == "-D":
        chains[chain].remove(rest)
    elif verb == "-A":
        chains[chain].append(rest)
    elif verb == "-I":
        assert rest.startswith("1 ")
        chains[chain].insert(0, rest[2:])
    elif verb == "-F":
        chains[chain].clear()
    elif verb == "-X":
        assert not any("-j " + chain in rule for rules in chains.values() for rule in rules)
        del chains[chain]

if "RESTORE":
    assert "--noflush" in words
    if (state / "refuse").exists():
        sys.exit("iptables-restore: line 3 failed")
    lines = sys.stdin.read().splitlines()
    assert lines[0] == "*filter" and lines[-1] == "COMMIT"
    for line in lines[1:-1]:
        if line.startswith(":"):
            chains[line[1:].split()[0]] = []
        else:
            run(shlex.split(line))
    if "--test" in words:
        sys.exit(0)
else:
    run(words)
file.write_text(json.dumps(chains))
"""

TABLE = "table inet filter {\n    chain input { tcp dport 22 accept }\n}"
CHAINS = {"INPUT": ["-p tcp -m tcp --dport 22 -j ACCEPT"], "FORWARD": [], "OUTPUT": []}


@pytest.fixture
def nft(host: Host) -> Host:
    """A host with nftables, one table of its own, and a path to the agent's endpoint."""
    host.fake("nft", NFT, "python")
    host.fake("timeout", "exit 0")
    (host.state / "nft.json").write_text(json.dumps({"inet filter": TABLE}))
    return host


@pytest.fixture
def iptables(host: Host) -> Host:
    """A host with iptables for both families, one rule of its own in each, and IPv6 in use."""
    for family, program in (("4", "iptables"), ("6", "ip6tables")):
        body = IPTABLES.replace("FAMILY", family)
        host.fake(program, body.replace('"RESTORE"', "False"), "python")
        host.fake(f"{program}-restore", body.replace('"RESTORE"', "True"), "python")
        (host.state / f"{family}.json").write_text(json.dumps(CHAINS))
    host.fake("timeout", "exit 0")
    host.write("/proc/net/if_inet6", "00000000000000000000000000000001 01 80 10 80 lo\n")
    return host


def run(host: Host, **parameters: str) -> Ran:
    return host.run(Document.HOST_FIREWALL, **parameters)


def tables(host: Host) -> dict[str, str]:
    return json.loads((host.state / "nft.json").read_text())


def chains(host: Host) -> dict[str, dict[str, list[str]]]:
    return {n: json.loads((host.state / f"{n}.json").read_text()) for n in "46"}


def saved(host: Host) -> Path:
    return host.root / STATE / "previous"


# --- nftables


def test_nft_allows_the_channel_and_drops_the_rest(nft: Host) -> None:
    done = run(nft, **CHANNEL)
    assert done.code == ScriptExit.DONE
    assert done.report["backend"] == "nft"
    ours = tables(nft)["inet cordon"]
    assert ours.count("policy drop;") == 3
    accepts = [line.strip() for line in ours.splitlines() if line.endswith("accept")]
    assert "ip daddr { 10.0.1.7,10.0.2.0/24 } tcp dport 443 accept" in accepts
    assert "ip6 daddr { fd00::7 } tcp dport 443 accept" in accepts
    assert "ip daddr { 10.0.0.2 } udp dport 53 accept" in accepts
    assert "ip daddr 169.254.169.254 tcp dport 80 accept" in accepts
    unbounded = [
        a
        for a in accepts
        if "saddr" not in a and "daddr" not in a and "lo" not in a and "icmpv6" not in a
    ]
    assert unbounded == [
        "udp sport 67 udp dport 68 accept",
        "udp sport 547 udp dport 546 accept",
        "udp sport 68 udp dport 67 accept",
        "udp sport 546 udp dport 547 accept",
    ]


def test_nft_leaves_the_hosts_own_rules_and_undo_leaves_them_too(nft: Host) -> None:
    before = tables(nft)
    run(nft, **CHANNEL)
    assert tables(nft)["inet filter"] == TABLE
    done = run(nft, Mode="undo")
    assert done.code == ScriptExit.DONE
    assert done.report["drift"] == "none"
    assert tables(nft) == before
    assert not (nft.root / STATE).exists()


def test_what_was_there_is_saved_for_root_only_before_the_change(nft: Host) -> None:
    run(nft, **CHANNEL)
    assert saved(nft).read_text().strip() == TABLE
    assert mode_of(saved(nft)) == 0o600
    assert mode_of(saved(nft).parent) == 0o700
    verbs = [c.split()[1] for c in nft.called("nft") if "ruleset" in c or c.endswith("rules")]
    assert verbs.index("-f") > verbs.index("-c") > verbs.index("-s")


def test_applying_again_keeps_the_first_record(nft: Host) -> None:
    run(nft, **CHANNEL)
    first = tables(nft)
    done = run(nft, **CHANNEL)
    assert done.report["message"] == "isolated from the inside, again"
    assert tables(nft) == first
    assert saved(nft).read_text().strip() == TABLE
    run(nft, Mode="undo")
    assert tables(nft) == {"inet filter": TABLE}


def test_undo_reports_what_others_changed_and_leaves_it(nft: Host) -> None:
    run(nft, **CHANNEL)
    (nft.state / "nft.json").write_text(json.dumps({**tables(nft), "ip other": "table ip other"}))
    done = run(nft, Mode="undo")
    assert "other rules changed" in done.report["drift"]
    assert tables(nft) == {"inet filter": TABLE, "ip other": "table ip other"}


def test_undo_without_rules_changes_nothing_and_may_be_repeated(nft: Host) -> None:
    for _ in range(2):
        done = run(nft, Mode="undo")
        assert (done.code, done.report["message"]) == (ScriptExit.DONE, "nothing to undo")
    assert tables(nft) == {"inet filter": TABLE}


def test_rules_that_the_host_refuses_change_nothing(nft: Host) -> None:
    (nft.state / "refuse").touch()
    done = run(nft, **CHANNEL)
    assert done.code == ScriptExit.FAILED
    assert "syntax error" in done.report["message"]
    assert tables(nft) == {"inet filter": TABLE}


def test_rules_that_do_not_stand_as_written_are_a_failure(nft: Host) -> None:
    (nft.state / "lose").touch()
    done = run(nft, **CHANNEL)
    assert done.code == ScriptExit.FAILED
    assert "do not stand" in done.report["message"]


def test_undo_that_fails_says_so(nft: Host) -> None:
    run(nft, **CHANNEL)
    (nft.state / "stuck").touch()
    done = run(nft, Mode="undo")
    assert done.code == ScriptExit.FAILED
    assert saved(nft).exists()


# --- either

Both = Callable[[Host], object]


@pytest.fixture(params=["nft", "iptables"])
def either(request: pytest.FixtureRequest) -> tuple[Host, Both]:
    """A host of each kind, and how to read its rules."""
    return request.getfixturevalue(request.param), tables if request.param == "nft" else chains


def test_a_closed_path_takes_the_rules_away_at_once(either: tuple[Host, Both]) -> None:
    host, rules = either
    before = rules(host)
    host.fake("timeout", "exit 124")
    done = run(host, **CHANNEL)
    assert done.code == ScriptExit.FAILED
    assert "taken away again" in done.report["message"]
    assert done.report["probed"] == PROBE["Probe"]
    assert rules(host) == before


def test_the_probe_is_the_first_single_address_where_no_name_is_given(
    either: tuple[Host, Both],
) -> None:
    host, _ = either
    done = run(host, **{**CHANNEL, "Probe": "", "Endpoints": "10.0.2.0/24,10.0.1.7"})
    assert done.code == ScriptExit.DONE
    assert done.report["probed"] == "10.0.1.7"
    [call] = host.called("timeout")
    assert call.endswith(" 10.0.1.7")


def test_networks_alone_cannot_be_probed_and_that_is_said(either: tuple[Host, Both]) -> None:
    host, _ = either
    done = run(host, **{**CHANNEL, "Probe": "", "Endpoints": "10.0.2.0/24"})
    assert done.code == ScriptExit.DONE
    assert done.report["probed"] == "nothing to try"
    assert host.called("timeout") == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Endpoints": ""}, "needs the addresses"),
        ({"Endpoints": "10.0.1.7,0.0.0.0/0"}, "leave the host open"),
        ({"Endpoints": "::/0"}, "leave the host open"),
        ({"Resolvers": "0.0.0.0/0"}, "leave the host open"),
    ],
)
def test_unsafe_requests_are_refused_untouched(
    either: tuple[Host, Both], change: dict[str, str], reason: str
) -> None:
    host, rules = either
    before = rules(host)
    done = run(host, **{**CHANNEL, **change})
    assert done.code == ScriptExit.REFUSED
    assert reason in done.report["message"]
    assert rules(host) == before
    assert not (host.root / STATE).exists()


def test_without_a_channel_the_rules_follow_the_report(either: tuple[Host, Both]) -> None:
    host, rules = either
    before = rules(host)
    host.environment["CORDON_DELAY"] = "1"
    done = run(host, Mode="apply", Channel="no")
    assert done.code == ScriptExit.DONE
    assert done.report["in_seconds"] == 1
    assert rules(host) == before

    until = time.monotonic() + 20
    while rules(host) == before and time.monotonic() < until:
        time.sleep(0.1)
    if host.called("nft"):
        accepts = [line for line in tables(host)["inet cordon"].splitlines() if "accept" in line]
        assert [line.strip() for line in accepts] == ['iifname "lo" accept', 'oifname "lo" accept']
    else:
        assert chains(host)["4"]["CORDON"] == ["-i lo -j ACCEPT", "-o lo -j ACCEPT", "-j DROP"]


# --- iptables


def test_iptables_puts_one_chain_first_in_both_families(iptables: Host) -> None:
    done = run(iptables, **CHANNEL)
    assert done.code == ScriptExit.DONE
    assert done.report["backend"] == "iptables"
    for family, peers in (("4", ["10.0.1.7", "10.0.2.0/24"]), ("6", ["fd00::7"])):
        found = chains(iptables)[family]
        for chain in ("INPUT", "OUTPUT", "FORWARD"):
            assert found[chain] == ["-j CORDON", *CHAINS[chain]]
        assert found["CORDON"][-1] == "-j DROP"
        https = [rule for rule in found["CORDON"] if "--dport 443" in rule]
        assert https == [f"-d {peer} -p tcp -m tcp --dport 443 -j ACCEPT" for peer in peers]
        inward = [rule for rule in found["CORDON"] if rule.startswith("-s ")]
        assert inward
        assert all("--ctstate ESTABLISHED" in rule for rule in inward)


def test_iptables_applied_twice_and_undone_is_as_before(iptables: Host) -> None:
    before = chains(iptables)
    run(iptables, **CHANNEL)
    once = chains(iptables)
    done = run(iptables, **CHANNEL)
    assert done.code == ScriptExit.DONE
    assert chains(iptables) == once
    done = run(iptables, Mode="undo")
    assert (done.code, done.report["drift"]) == (ScriptExit.DONE, "none")
    assert chains(iptables) == before


def test_iptables_that_refuse_change_nothing(iptables: Host) -> None:
    before = chains(iptables)
    (iptables.state / "refuse").touch()
    done = run(iptables, **CHANNEL)
    assert done.code == ScriptExit.FAILED
    assert "line 3 failed" in done.report["message"]
    assert chains(iptables) == before


def test_ipv6_without_ip6tables_is_unsupported(iptables: Host) -> None:
    iptables.remove("ip6tables")
    before = chains(iptables)
    done = run(iptables, **CHANNEL)
    assert done.code == ScriptExit.UNSUPPORTED
    assert "IPv6 would stay open" in done.report["message"]
    assert chains(iptables) == before


def test_a_host_without_ipv6_needs_no_ip6tables(iptables: Host) -> None:
    iptables.remove("ip6tables")
    (iptables.root / "proc/net/if_inet6").write_text("")
    assert run(iptables, **CHANNEL).code == ScriptExit.DONE
    assert "CORDON" in chains(iptables)["4"]
    assert "CORDON" not in chains(iptables)["6"]


def test_a_host_with_neither_is_unsupported(host: Host) -> None:
    done = run(host, **CHANNEL)
    assert done.code == ScriptExit.UNSUPPORTED
    assert "neither nft nor iptables" in done.report["message"]


def test_undo_uses_what_applied_though_nft_came_later(iptables: Host) -> None:
    before = chains(iptables)
    run(iptables, **CHANNEL)
    iptables.fake("nft", NFT, "python")
    (iptables.state / "nft.json").write_text(json.dumps({}))
    done = run(iptables, Mode="undo")
    assert done.report["backend"] == "iptables"
    assert chains(iptables) == before


def test_undo_without_the_tool_that_applied_is_a_failure(nft: Host) -> None:
    run(nft, **CHANNEL)
    nft.remove("nft")
    done = run(nft, Mode="undo")
    assert done.code == ScriptExit.FAILED
    assert "nft, which holds the rules" in done.report["message"]
    assert "inet cordon" in tables(nft)
