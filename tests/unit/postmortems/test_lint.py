from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from postmortems import lint
from postmortems.actions import Action
from postmortems.model import Draft

REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "postmortems" / "mybinder"

PLANTED = {
    "name-as-cause": (
        "Alice forgot to run the migration.",
        "The outage was caused by Bob.",
        "Dave Miller pushed the wrong configuration to the shard.",
        "Due to Carol, the cache was empty.",
        "@jdoe broke the deployment.",
        "The on-call engineer failed to look at the replica.",
        "An intern deployed a bad build in the afternoon.",
        "It was triggered by the new engineer.",
        "Sarah's mistake took two hours to find.",
        "Thandiwe mistyped the host.",
        "The DBA did not notice that replication had stopped.",
    ),
    "human-error": (
        "This was human error.",
        "The cause was an operator error during the promotion.",
        "A simple mistake in the configuration went unseen.",
        "It was a fat-finger on the console.",
        "User error explains the rest.",
        "The wrong host was picked by mistake.",
    ),
    "counterfactual": (
        "The alert should have fired five minutes before.",
        "They could have promoted the replica at once.",
        "Had we looked at the queue, we would have seen it grow.",
        "If only the breaker had been on.",
        "A canary would have caught it.",
        "The team ought to have known.",
        "The limit shouldn't have been raised.",
        "In hindsight the signs were clear.",
        "We needed to have tested the fail-over.",
    ),
    "single-root-cause": (
        "The root cause was a full disk.",
        "The root cause is a bug in the client.",
        "The sole cause was the missing index.",
        "This was solely due to the new release.",
        "The real reason was the cache.",
        "The outage was entirely caused by the deploy.",
    ),
    "blame": (
        "The change was careless.",
        "It was negligence on the part of the platform group.",
        "They simply forgot the second shard.",
        "The provider is to blame.",
        "The runbook was not used because the team did not follow the procedure.",
        "It was their own fault.",
        "The review was sloppy.",
        "Engineers should know better.",
        "We failed to check the dashboard.",
    ),
    "care-instead-of-change": (
        "Be more careful with deployments.",
        "Everybody must pay more attention to the dashboards.",
        "Remind everyone to read the runbook.",
        "Make sure that this does not happen again.",
        "Double-check every command.",
        "Raise awareness of the risk.",
    ),
}
PLANTED_ACTIONS = (
    "Improve monitoring.",
    "Improve the monitoring and alerting",
    "Better documentation",
    "More testing in general",
    "Look into the connection pool.",
    "Think about sharding.",
    "Make the cache layer more robust.",
    "Fix the bug.",
    "Rewrite the relay when we have time.",
    "Migrate the tables as soon as possible.",
    "Continue to monitor the replica.",
    "Consider a second cache.",
)
NEUTRAL = (
    "The on-call engineer restarted the gateway at 14:03 UTC, because the health check was red.",
    "At 14:05 Alice acknowledged the page and promoted the replica.",
    "The breaker opened after five failures, within two seconds.",
    "There is no single root cause.",
    "No alert named the cache, since its hit rate was not measured.",
    "The fault was injected at 14:00 and undone at 14:00:40.",
    "Requests failed because the primary held its connections for 20 ms each.",
    "Which alert should have fired and did not?",
    "The pod failed to start within 300 seconds.",
    "Users with a cold cache had to wait for the database.",
    "The runbook names the port of the old host, so the command answered with an error.",
    "The dashboard showed an error message that named the wrong shard.",
    "What limited the harm was the replica, which kept on serving reads.",
    "This text looks for conditions, not for people.",
    "A deploy at 13:55 had raised the pool's limit from 20 to 200.",
    "Kubernetes restarted the pod three times.",
    "Every list should have an owner.",
    "Three conditions had to meet: a full pool, a cold cache and retries without a budget.",
    "We did not know then that the relay was paused.",
    "The load was 160 reads a second at its peak.",
)
NEUTRAL_ACTIONS = (
    "Page within 60 s when a shard refuses writes.",
    "Improve the eviction policy of the tweet cache so that a restart keeps 84 % of its keys.",
    "Add an alert on the age of the outbox's oldest row.",
    "Document how a replica is promoted, with the command and what it prints.",
    "Fix the port in the runbook of ComponentDown.",
    "Limit retries of the gateway to 10 % of its requests.",
)
NOT_NEUTRAL = (
    "Consider figuring out an easy way", "Better alerting for when something", "could have been alerted by counting 4xx", "User error was made here",
    "Look into generating a commit", "Discuss how to know when", "Consider ways to have a system", "Consider creating a script",
    "make sure this doesn't happen again", "keep an eye on the SSL", "believed to be the root cause", "The ultimate cause of this incident",
    "so it could have been noticed earlier", "The root cause is still unknown", "Investigate root cause of", "update is the root cause",
    "would have allowed us to find and catch", "though the root cause is that", "try to auto-detect likely unhealthy", "difficult to identify the root cause",
    "It would have been useful to get", "This was a mistake in setting up", "Consider dedicated nodes", "because it would not have staye",
    "Consider allowing the prime cluster", "In hindsight, it is most likely",
)  # fmt: skip
"""Of the real ones, by their own words: what does judge, look back with what is known now, name the one cause, or promise nothing."""


@pytest.mark.parametrize(("rule", "sentence"), [(rule, sentence) for rule, listed in PLANTED.items() for sentence in listed])
def test_a_planted_sentence_is_found_by_its_rule(rule: str, sentence: str) -> None:
    found = lint.findings(f"# Report\n\nAt 14:00 reads failed.\n\n{sentence}\n")
    assert rule in {finding.rule for finding in found}
    assert {finding.line for finding in found} == {5}
    assert all(finding.quote in sentence and finding.why and finding.instead for finding in found)


@pytest.mark.parametrize("sentence", PLANTED_ACTIONS)
def test_a_vague_action_is_found_below_a_heading_about_actions_only(sentence: str) -> None:
    assert [f.rule for f in lint.findings(f"## Action items\n\n- [ ] {sentence}\n")] == ["vague-action"]
    assert lint.findings(f"## What went well\n\n- {sentence}\n") == []


@pytest.mark.parametrize("sentence", NEUTRAL)
def test_a_neutral_sentence_is_left_alone(sentence: str) -> None:
    assert lint.findings(f"# Report\n\n{sentence}\n") == []


@pytest.mark.parametrize("sentence", NEUTRAL_ACTIONS)
def test_a_bounded_action_is_left_alone(sentence: str) -> None:
    whole = Action("A1", sentence, 0.0, owner="timelines", due=date(2026, 12, 1), done_when="the drill passes")
    assert lint.findings(f"## Actions\n\n- {sentence}\n", [whole]) == []


def test_an_action_without_an_end_is_found_and_a_declined_one_is_not() -> None:
    action = Action("A1", "Limit retries of the gateway to 10 % of its requests", 0.0, owner="gateway")
    (found,) = lint.findings("", [action])
    assert (found.rule, found.where) == ("unbounded-action", "A1")
    assert found.why == "it lacks a due date and a done-when, so it has no end"
    assert lint.findings("", [Action("A1", "Improve monitoring", 0.0, state="declined", reason="vague")]) == []


def test_code_tables_quotations_and_front_matter_are_not_prose() -> None:
    text = "---\nowner: Bob forgot\n---\n```\nthis was human error\n```\n| human error |\n> human error\n\n`human error` is a word.\n"
    assert lint.findings(text) == []


def test_a_fresh_draft_blames_nobody(drafted: Draft) -> None:
    assert lint.findings(drafted.postmortem_path.read_text()) == []


@pytest.mark.skipif(not REAL.exists(), reason=f"the real postmortems are not beside the checkout: {REAL}")
def test_real_postmortems_are_found_where_they_judge_and_left_alone_where_they_tell() -> None:
    texts = [path.read_text() for path in sorted(REAL.glob("20*.md"))]
    told = [sentence for text in texts for sentence in lint.sentences(text)]
    assert len(texts) == 23
    judging = [sentence for sentence in told if any(words in sentence.text for words in NOT_NEUTRAL)]
    neutral = [sentence for sentence in told if sentence not in judging]
    found = [sum(bool(list(lint.of_sentence(sentence))) for sentence in some) / len(some) for some in (judging, neutral)]
    assert found[0] >= 0.95
    assert found[1] <= 0.01, [s.text for s in neutral if list(lint.of_sentence(s))]
