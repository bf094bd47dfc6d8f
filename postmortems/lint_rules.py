"""What a blameless text does not say, as patterns with reasons. Data: the search is in `lint`.

The rules are those of the field's guides (Howie, PagerDuty's postmortem guide): conditions instead of people, what was known then instead of
what would have been right, several conditions instead of one cause, actions that somebody can finish.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """`why` says what is wrong with it, `instead` what to write. `patterns` are searched in one sentence; a `quiet` one in it silences the rule.

    A rule for `actions` looks at sentences of a list of actions only.
    """

    name: str
    why: str
    instead: str
    patterns: tuple[re.Pattern[str], ...]
    quiet: tuple[re.Pattern[str], ...] = ()
    actions: bool = False


def _any(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


_GIVEN = (
    "adam|alan|albert|alex|alice|amanda|amy|ana|andrea|andrew|andy|angela|anita|anna|anne|anthony|barbara|ben|bob|brian|carl|carlos|carol|"
    "catherine|charles|chen|chris|christine|claire|claudia|dan|daniel|dave|david|deborah|dennis|diana|diego|donald|dorothy|ed|elena|elizabeth|"
    "emily|emma|eric|erik|eva|fatima|felix|frank|gary|george|greg|hans|heather|helen|henry|ian|igor|ivan|jack|jacob|james|jan|jane|janet|jason|"
    "jean|jeff|jennifer|jerry|jessica|jim|joan|joe|john|jonathan|jose|joseph|josh|juan|judy|julia|julie|karen|kate|kathleen|keith|ken|kevin|"
    "kim|larry|laura|lee|lena|linda|lisa|liz|luis|maria|marie|mark|martha|martin|mary|matt|matthew|max|megan|michael|michelle|mike|miguel|"
    "mohammed|monica|nancy|natalie|nick|nicole|nina|oliver|olivia|omar|pamela|patricia|patrick|paul|pedro|peter|phil|priya|rachel|raj|ravi|"
    "rebecca|richard|rob|robert|roger|ron|rosa|ryan|sam|samantha|sandra|sara|sarah|scott|sean|sergey|sharon|simon|sofia|stephanie|stephen|"
    "steve|steven|sue|susan|tim|timothy|thomas|tom|tony|victor|victoria|virginia|vladimir|walter|wei|wendy|will|yuki"
)  # fmt: skip
_ROLE = (
    r"(?:the |an? |our |one of (?:the|our) )?(?:(?:on-?call|junior|senior|new|platform|release|database|backend|frontend|responsible|duty) )*"
    r"(?:engineer|intern|operator|developer|admin(?:istrator)?|sysadmin|dba|sre|contractor|manager|colleague|new hire|technician|employee|somebody|someone)"
)
_PERSON = rf"(?:@\w[\w-]*|\b(?:{_GIVEN})\b(?: [A-Z]\w+)?|{_ROLE})"
_FAULT = (
    r"(?:caused|broke|crashed|took down|brought down|knocked over|forgot|misconfigured|mistyped|misread|missed|ignored|overlooked|neglected|messed up|screwed up|"
    r"failed to|(?:did not|didn't) (?:notice|check|test|follow|read|verify|look|realise|realize)|"
    r"(?:pushed|deployed|merged|ran|made|introduced|released|shipped|deleted|typed|applied|approved|chose|entered) (?:the|a|an) (?:bad|broken|wrong|faulty|buggy|incorrect|mistake|error|bug|typo))"
)
_HUMAN_ONLY = r"(?:forgot|mistyped|misread|overlooked|neglected|didn't bother|pushed a (?:bad|broken|wrong)|typed the wrong)"
_PARTICIPLE = r"(?:been|\w+ed|gone|known|seen|done|made|taken|given|caught|kept|found|thought|told|had|run|begun|come|read|set|built|put|shown|held|let)"

NAMES = Rule(
    "name-as-cause",
    "a person is named where a cause is meant; the next person in the same place would have done the same",
    "say what made it possible: what they could see, what the tool let through; name roles, not people",
    (
        *_any(
            rf"{_PERSON} (?:accidentally |then |simply |had |also )?{_FAULT}",
            rf"\b(?:caused|broken|triggered|introduced|missed|misconfigured) by (?:@\w[\w-]*|(?:{_GIVEN})\b|{_ROLE}\b)",
            rf"\b(?:because of|due to|thanks to|fault of|down to) (?:@\w[\w-]*|(?:{_GIVEN})\b|{_ROLE}\b)",
            rf"(?:@\w[\w-]*|\b(?:{_GIVEN})\b|{_ROLE})'s (?:mistake|error|fault|typo|oversight|negligence|carelessness|bad|wrong|buggy|broken|faulty|change broke|commit broke)",
        ),
        re.compile(rf"\b[A-Z][a-z]+(?: [A-Z][a-z]+)? {_HUMAN_ONLY}"),
    ),
)
HUMAN_ERROR = Rule(
    "human-error",
    "'human error' ends the search where it begins to be useful",
    "say what the person saw, why the step made sense then, and what turned it into harm",
    _any(
        r"\b(?:human|operator|user|pilot|manual|personal|engineer(?:ing)?|people|individual)(?:'s)? (?:error|mistake|failure|oversight)s?\b",
        r"\bfat[- ]?finger\w*", r"\bpebkac\b", r"\b(?:an?|the|this|some|was|by|honest|simple|silly|stupid) mistakes?\b", r"\bmistaken(?:ly)?\b",
        r"\boperator inattention\b", r"\berrors? (?:made )?by (?:the|an?|our) (?:operator|engineer|user|admin\w*|developer|team)\b",
    ),
)  # fmt: skip
COUNTERFACTUAL = Rule(
    "counterfactual",
    "what did not happen explains nothing, and nobody could know then what is known now",
    "say what happened, and what was known at that moment",
    _any(
        rf"\b(?:should|could|would|ought to|might|needed to)(?:n't| not)?(?: also| really| easily| at least| never| always| just)? ?have (?:\w+ly |not )?{_PARTICIPLE}\b",
        r"\bif only\b",
        r"\b(?:had|if) (?:we|they|he|she|somebody|someone|anybody|anyone|the team|the on-?call|the operator|the engineer)\b[^.]*\bwould\b",
        r"\bwas supposed to have\b", r"\bin hindsight\b", r"\bwith hindsight\b", r"\bobvious(?:ly)? (?:should|wrong|mistake)\b", r"\bsimply had to\b",
    ),
    quiet=_any(r"\?\s*[*_]*$", r"\bcould have gone (?:better|wrong|worse)\b", r"\bcould (?:also )?have been (?:an?|the|due|because)\b"),
)  # fmt: skip
ROOT_CAUSE = Rule(
    "single-root-cause",
    "an incident has several conditions, and each of them was needed",
    "list contributing conditions, with evidence for and against each",
    _any(
        r"\broot[- ]cause\b", r"\b(?:sole|single|only|one|real|true|ultimate|main) (?:cause|reason)\b(?! for optimism)", r"\b(?:boils|comes|came) down to one\b",
        r"\bentirely (?:caused by|due to)\b", r"\bsolely (?:caused|due|because)\b", r"\b(?:was|is) the (?:whole|entire) (?:cause|reason)\b",
    ),
    quiet=_any(r"\b(?:no|not (?:a|one)|never (?:a|one)|any|isn't (?:a|one)) (?:single )?(?:root[- ]cause|cause|reason)\b", r"\broot[- ]causes\b", r"\bnot the only\b"),
)  # fmt: skip
BLAME = Rule(
    "blame",
    "it judges people, who then tell less the next time",
    "say what was hard to see or to do, and why",
    _any(
        r"\bcareless\w*", r"\bnegligen\w+", r"\bincompeten\w+", r"\bslopp(?:y|ily|iness)\b", r"\blaz(?:y|ily|iness)\b", r"\bstupid\w*", r"\bidiot\w*",
        r"\bdumb\b", r"\breckless\w*", r"\birresponsibl\w+", r"\bto blame\b", r"\b(?:we|they|i) blame\b", r"\bwas blamed\b", r"\b(?:was|were|is|are) at fault\b",
        r"\b(?:his|her|their|my|our|whose|nobody else's) (?:own )?fault\b", r"\bguilty\b", r"\binattenti\w+", r"\bscrewed up\b", r"\bmessed up\b", r"\bdropped the ball\b",
        r"\b(?:lack|want) of (?:attention|care|discipline|diligence|competence|common sense)\b", r"\b(?:not|without) paying attention\b",
        r"\b(?:did not|didn't|failed to|not) follow(?:ing|ed)? (?:the |our )?(?:procedure|process|runbook|protocol|rules|policy|instructions)\b",
        r"\bknow(?:n|s)? better\b", r"\b(?:didn't|did not) bother\b", r"\bunprofessional\w*", r"\b(?:they|he|she|we|i|you|team|nobody|everyone) (?:simply |just |completely )?forgot\b",
        r"\b(?:they|he|she|we|i|team) (?:failed|neglected|refused) to\b", r"\bshame\w*\b", r"\binexcusabl\w+", r"\bviolat(?:ed|ing) (?:the |our )?(?:procedure|process|policy|rules)\b",
    ),
)  # fmt: skip
_MATTERS = (
    r"(?:monitoring|alert(?:ing|s)?|observability|logging|documentation|docs|test(?:s|ing)?(?: coverage)?|communication|process(?:es)?|reliability|"
    r"performance|resilience|robustness|quality|reviews?|code quality|training|capacity planning|tooling|dashboards?|visibility|security|stability)"
)
VAGUE = Rule(
    "vague-action",
    "nobody can ever tell whether this is done",
    "name the thing that changes and what anybody can then see: 'page within 60 s when a shard refuses writes'",
    _any(
        rf"^(?:we (?:should|need to|must|will) )?(?:\w+ )?(?:improve|increase|enhance|strengthen|review|revisit|rethink|better|more|add more|update|fix)"
        rf" (?:the |our |general |overall |existing )*{_MATTERS}(?: and {_MATTERS})?(?: (?:in general|overall|everywhere|across the board|where needed|as needed))?\W*$",
        r"^(?:better|more) (?:monitoring|alerting|documentation|testing|tests|communication|logging) (?:for when|in general|around)\b",
        r"^(?:\W*)(?:look into|think about|consider|explore|discuss|be aware|keep in mind|try|investigate whether|see if)\b",
        r"\bmake (?:\w+ ){1,5}more (?:robust|reliable|resilient|stable|scalable)\W*$", r"\b(?:when|if|once) (?:we|there) (?:have|has|is|are) (?:the )?time\b",
        r"\b(?:asap|as soon as possible|at some point|some day|eventually|sooner or later)\b", r"\bcontinue to (?:monitor|watch|improve|investigate)\b", r"\bkeep an eye on\b",
        r"\bclean up the (?:code|mess)\b", r"\bdo something about\b", r"\bfix (?:it|this|the (?:problem|issue|bug)|everything)\W*$",
    ),
    actions=True,
)  # fmt: skip
CARE = Rule(
    "care-instead-of-change",
    "people were careful already; a wish changes no system",
    "change what lets the slip through: a check, a limit, a default",
    _any(
        r"\b(?:be|being|been) (?:more |extra |much more |very )?(?:careful|vigilant|mindful|diligent|cautious|attentive)\b", r"\bpay(?:ing)? (?:more |closer |better )?attention\b",
        r"\btak(?:e|ing) (?:more|greater|extra|better) care\b", r"\btry(?:ing)? harder\b", r"\b(?:remind|retrain|tell|warn) (?:everyone|everybody|the team|people|staff|engineers|developers|operators|all)\b",
        r"\braise awareness\b", r"\bdouble[- ]check\b(?! that the)", r"\b(?:never|not|doesn't|does not|won't) happen(?:s)? again\b", r"\bbe more (?:thorough|disciplined|professional)\b",
    ),
)  # fmt: skip
RULES = (NAMES, HUMAN_ERROR, COUNTERFACTUAL, ROOT_CAUSE, BLAME, CARE, VAGUE)
