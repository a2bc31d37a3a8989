"""Runs lm-evaluation-harness's own model class against a server, and prints what it makes of the answers as JSON.

Usage: harness.py BASE_URL MODEL CASES, where CASES is JSON: {"pairs": [[context, continuation]], "contexts": [...], "until": [...]}."""

import contextlib
import json
import logging
import sys

from lm_eval.api.instance import Instance
from lm_eval.models.openai_completions import LocalCompletionsAPI

url, model, cases = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
logging.disable(logging.ERROR)


def instances(kind, arguments):
    return [Instance(request_type=kind, doc={}, arguments=each, idx=i) for i, each in enumerate(arguments)]


found = []
with contextlib.redirect_stdout(sys.stderr):
    for settings in ({}, {"batch_size": 3}, {"batch_size": 2, "num_concurrent": 3}):
        lm = LocalCompletionsAPI(base_url=f"{url}/v1/completions", model=model, max_length=512, **settings)
        stops = {"until": cases["until"], "max_gen_toks": 20, "do_sample": False}
        found.append(
            {
                "tokenizer": lm.tokenizer_backend,
                "loglikelihood": lm.loglikelihood(instances("loglikelihood", map(tuple, cases["pairs"]))),
                "rolling": lm.loglikelihood_rolling(
                    instances("loglikelihood_rolling", [(text,) for text in cases["contexts"]])
                ),
                "generate": lm.generate_until(instances("generate_until", [(text, stops) for text in cases["contexts"]])),
            }
        )
print(json.dumps(found))
