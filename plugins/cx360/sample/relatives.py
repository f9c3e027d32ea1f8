"""Relatives who look like one person: twins, parent and child of one name, families with one phone or mailbox.

Here belongs who of a household looks like whom. What the masters write down belongs in ``party_records``.
"""

from dataclasses import dataclass

import numpy as np

from cx360.sample import names
from cx360.sample.bank import Bools, Floats, Ints, Plan


@dataclass
class Household:
    """What decides who may look like whom, one element a person."""

    id: Ints
    place: Ints  # 0 is the head
    child: Bools

    @property
    def head(self) -> Ints:
        """Index of each person's head of household."""
        return np.searchsorted(self.id, self.id)


@dataclass
class Lookalikes:
    """Pairs of people, each as (2, n) indexes; nobody is in two of them."""

    twins: Ints
    namesakes: Ints  # parent, child


@dataclass
class Sharing:
    """Who has a relative's number or mailbox on record instead of an own one."""

    phone_of: Ints  # of each person: whose number, oneself mostly
    mail_of: Ints
    home_line: Bools  # the number is the household's landline, for both
    family_mail: Bools  # the mailbox is the family's, for both
    involved: Bools  # shares or is shared with; nothing of theirs changes in the period

    @property
    def count(self) -> int:
        """People who share something."""
        return int(self.involved.sum())

    def number(self, mobile: Ints, landline: Ints) -> Ints:
        """Number each person's records have where it is shared, else the own mobile; -1 if none."""
        return np.where(self.home_line, landline, mobile[self.phone_of])


def _one_a_household(rng: np.random.Generator, able: Bools, household: Ints, n: int) -> Ints:
    """``n`` of the people who are able, no two of one household, or as many as there are."""
    order = rng.permutation(np.flatnonzero(able))
    first = np.sort(np.unique(household[order], return_index=True)[1])
    return order[first[:n]]


def draw_lookalikes(plan: Plan, rng: np.random.Generator, home: Household) -> Lookalikes:
    """Twins, half of them grown and living together, half children of the house; and children named as a parent."""
    p, n = plan.settings["people"], len(home.id)
    before = np.maximum(np.arange(n) - 1, 0)
    siblings = (home.place > 1) & home.child & home.child[before]
    grown = (home.place == 1) & ~home.child & (np.bincount(home.id)[home.id] == 2)
    pairs = round(p["twins"] * n / 2)
    young = _one_a_household(rng, siblings, home.id, pairs // 2)
    second = np.concatenate([young, _one_a_household(rng, grown, home.id, pairs - len(young))])
    free = ~np.isin(home.id, home.id[second])
    child = _one_a_household(rng, home.child & (home.place > 0) & free, home.id, round(p["namesakes"] * n / 2))
    return Lookalikes(np.stack([second - 1, second]), np.stack([home.head[child], child]))


def name_alike(
    plan: Plan, rng: np.random.Generator, alike: Lookalikes, home: Household, origin: Ints,
    given: Ints, family: Ints, female: Bools,
) -> tuple[Ints, Ints, Bools]:  # fmt: skip
    """(given, family, female) of everybody, once twins have one surname and namesakes one full name."""
    given, family, female = given.copy(), family.copy(), female.copy()
    first, second = alike.twins
    family[first] = family[second] = family[home.head[second]]
    pairs = np.flatnonzero((rng.random(len(second)) < plan.settings["people"]["similar_twins"])
                           & names.is_german(origin[second]))  # fmt: skip
    sounds, woman = names.similar(rng, len(pairs))
    for twin, name, sex in zip((first, second), sounds, woman, strict=True):
        given[twin[pairs]], female[twin[pairs]] = name, sex
    parent, child = alike.namesakes
    given[child], family[child], female[child] = given[parent], family[parent], female[parent]
    return given, family, female


def draw_sharing(
    plan: Plan, rng: np.random.Generator, alike: Lookalikes, home: Household,
    family: Ints, mobile: Ints, landline: Ints, mail: Bools,
) -> Sharing:  # fmt: skip
    """Who shares a phone or mailbox with a relative of the same surname: exactly the share the parameters say.

    Many twins have a parent's phone on record, some namesakes a common one; the rest are couples, parents with a child,
    and siblings.
    """
    p, n = plan.settings["people"], len(home.id)
    everybody = np.arange(n)
    sharing = Sharing(everybody.copy(), everybody.copy(), np.zeros(n, bool), np.zeros(n, bool), np.zeros(n, bool))
    head = home.head
    alike_now = np.zeros(n, bool)
    alike_now[np.concatenate([alike.twins.ravel(), alike.namesakes.ravel()])] = True

    def share(who: Ints, source: Ints, phone: Bools, mailbox: Bools) -> None:
        """Give numbers and mailboxes of ``source`` to ``who``."""
        line = phone & (rng.random(len(who)) < 0.5) & (landline[source] >= 0)
        family_mail = mailbox & (rng.random(len(who)) < 0.5)
        sharing.phone_of[who[phone]] = source[phone]
        sharing.mail_of[who[mailbox]] = source[mailbox]
        for person in (who, source):
            sharing.home_line[person] |= line
            sharing.family_mail[person] |= family_mail
            sharing.involved[person] |= phone | mailbox

    first, second = alike.twins
    kept = (rng.random(len(second)) < p["twins_share_phone"]) & (mobile[head[second]] >= 0)
    source = head[second][kept]
    share(second[kept], source, np.ones(len(source), bool), np.zeros(len(source), bool))
    of_child = first[kept] != source  # grown twins: the first is the head
    sharing.phone_of[first[kept][of_child]] = source[of_child]
    sharing.home_line[first[kept]] = sharing.home_line[source]
    sharing.involved[first[kept]] = True
    parent, child = alike.namesakes
    kept = (rng.random(len(child)) < p["namesakes_share_phone"]) & (mobile[parent] >= 0)
    share(child[kept], parent[kept], np.ones(kept.sum(), bool), np.zeros(kept.sum(), bool))

    # Siblings and the second adult's children have the person before them as the other one, all others the head.
    other = np.where((home.place > 1) & (rng.random(n) < 0.35), everybody - 1, head)
    able = (home.place > 0) & (family == family[other]) & (mobile[other] >= 0) & mail[other]
    able &= ~np.isin(home.id, home.id[alike_now])
    pairs = max(0, round((p["shares_contact"] * n - sharing.count) / 2))
    who = _one_a_household(rng, able, home.id, pairs)
    draw: Floats = rng.random(len(who))
    share(who, other[who], draw < 0.7, draw > 0.55)
    return sharing


def pairs_within(household: Ints) -> Ints:
    """All pairs of people of one household, as (2, n); people are ordered by household."""
    index, found = np.arange(len(household)), []
    for apart in range(1, int(np.bincount(household).max())):
        same = household[apart:] == household[:-apart]
        found.append(np.stack([index[:-apart][same], index[apart:][same]]))
    return np.concatenate([*found, np.zeros((2, 0), np.int64)], axis=1)
