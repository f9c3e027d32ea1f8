"""Gates: nothing becomes visible that its suite did not pass.

Here belongs the judging of deliveries and of the candidate: ``suites`` reads the rules, ``facts`` counts what they
are about, ``checking`` runs Great Expectations, ``delivery`` and ``candidate`` decide, ``report`` words the
verdict, ``docs`` writes the Data Docs. Thresholds are data and belong in
``expectations/``; rules over one row belong in a contract.
"""

from cx360.gates.candidate import check_candidate
from cx360.gates.delivery import check_deliveries
from cx360.gates.report import GateFailed, GateReport, Verdict

__all__ = ["GateFailed", "GateReport", "Verdict", "check_candidate", "check_deliveries"]
