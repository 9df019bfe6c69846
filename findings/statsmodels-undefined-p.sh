#!/usr/bin/env bash
# statsmodels 0.15.0: Holm's correction rejects the hypothesis whose p-value is undefined.
#
# Expected: `multipletests` gives, for each p-value, whether its hypothesis is rejected. An undefined p-value is no
# evidence, and its flag is False or the call refuses it, as `scipy.stats.false_discovery_control` does. At the least
# the flags agree with the corrected p-values that stand beside them.
# Seen: with "holm" and "holm-sidak" the flag of the undefined one is True, beside a corrected p-value of nan, whenever
# all others are rejected. With "bonferroni" it is False. With "fdr_bh" it is False too, but all corrected values are
# nan, those of the rejected hypotheses as well. No warning is given.
# Why it matters: two models whose scores are the same on every question have no variance between them, and the paired
# t test of scipy gives nan. Among several comparisons that are significant, this one, where nothing differs at all, is
# reported as significant too. raiden tests pairs with the exact test of McNemar, which is 1 where nothing differs.
#
# Output seen:
#   p of models that agree: nan
#   holm: [True, True, True] [0.03, nan, 0.04]
#   holm-sidak: [True, True, True] [0.0297, nan, 0.0396]
#   bonferroni: [True, False, False] [0.03, nan, 0.06]
#   fdr_bh: [True, False, True] [nan, nan, nan]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "statsmodels==0.15.0" "scipy==1.17.1"
cat >"$folder/try.py" <<'PYTHON'
import warnings

from scipy.stats import ttest_rel
from statsmodels.stats.multitest import multipletests

scores = [1.0, 0.0, 1.0, 1.0, 0.0]
with warnings.catch_warnings():
    warnings.simplefilter("ignore", RuntimeWarning)  # scipy's, about the variance
    undefined = float(ttest_rel(scores, scores).pvalue)
print("p of models that agree:", undefined)
for method in ["holm", "holm-sidak", "bonferroni", "fdr_bh"]:
    rejected, corrected, _, _ = multipletests([0.01, undefined, 0.02], alpha=0.05, method=method)
    print(f"{method}: {rejected.tolist()} {[round(float(value), 4) for value in corrected]}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/try.py" 2>&1)
expected="p of models that agree: nan
holm: [True, True, True] [0.03, nan, 0.04]
holm-sidak: [True, True, True] [0.0297, nan, 0.0396]
bonferroni: [True, False, False] [0.03, nan, 0.06]
fdr_bh: [True, False, True] [nan, nan, nan]"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; was:\n%s\n' "$expected"; exit 1; }
