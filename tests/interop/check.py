"""Opens exported folders with the real libraries and compares every tensor with a merge done in NumPy from the definitions.
`python check.py JOBS.json`: a list of {name, out, base, tokenizer, models: {folder, weight, density}, method, slack, extended, causal, sharded};
prints a JSON line per job and ends with 1 when any failed."""
import glob
import json
import os
import sys

import numpy as np
import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer


def tensors_of(folder):
    """Every tensor of a folder, by name, through its index or its one file."""
    old = os.path.join(folder, "pytorch_model.bin")
    if os.path.exists(old):
        return torch.load(old, weights_only=True)
    found = {}
    for path in sorted(glob.glob(os.path.join(folder, "*.safetensors"))):
        with safe_open(path, framework="pt") as shard:
            assert (shard.metadata() or {}).get("format") == "pt", path
            for name in shard.keys():
                assert name not in found, name
                found[name] = shard.get_tensor(name)
    return found


def model_of(folder, base):
    """A model's tensors; those of an adapter are the base's with scale * (B A) added, each operation rounded, in the order of ranks."""
    settings = os.path.join(folder, "adapter_config.json")
    if not os.path.exists(settings):
        return tensors_of(folder)
    with open(settings, encoding="utf-8") as file:
        config = json.load(file)
    factors = tensors_of(folder)
    found = dict(base)
    for name, a in factors.items():
        if not name.endswith(".lora_A.weight"):
            continue
        a, b = a.float().numpy(), factors[name.replace("lora_A", "lora_B")].float().numpy()
        total = np.zeros((b.shape[0], a.shape[1]), dtype=np.float32)
        for rank in range(a.shape[0]):
            total = total + b[:, rank : rank + 1] * a[rank : rank + 1, :]
        target = name.removeprefix("base_model.model.").replace(".lora_A", "")
        found[target] = torch.from_numpy(base[target].float().numpy() + np.float32(config["lora_alpha"] / config["r"]) * total)
    assert sum(found[name] is not base[name] for name in found) == len(factors) // 2
    return found


def largest(magnitudes, density):
    """Mask of the trunc(k N) largest, at least one; equal ones by lowest index."""
    count = magnitudes.size if density >= 1 else max(1, int(density * magnitudes.size))
    order = np.argsort(-magnitudes, kind="stable")
    mask = np.zeros(magnitudes.size, dtype=bool)
    mask[order[:count]] = True
    return mask


def merged(job, base, models):
    """One tensor, float32, flat. `models`: (values, weight, density) each."""
    f32 = np.float32
    method = job["method"]
    if method == "linear":
        total = np.zeros_like(base)
        for values, weight, _ in models:
            total = total + f32(weight) * values
        return total / f32(sum(f32(weight) for _, weight, _ in models))
    taus = [values - base for values, _, _ in models]
    weights = [f32(weight) for _, weight, _ in models]
    lam = f32(job.get("lambda", 1))
    if method == "task_arithmetic":
        change = np.zeros_like(base)
        for tau, weight in zip(taus, weights):
            change = change + weight * tau
        return np.where(change == 0, base, base + lam * change)
    kept = [np.where(largest(np.abs(tau), density), tau, f32(0)) for tau, (_, _, density) in zip(taus, models)]
    terms = [weight * tau for weight, tau in zip(weights, kept)]
    e = np.zeros_like(base)
    for term in terms:
        e = e + term
    gamma = np.where(e >= 0, 1, -1)
    if method == "ties_sv":
        # The first model is preferred; s of what it keeps is given back where it lost by least.
        lost = np.flatnonzero((terms[0] != 0) & (np.sign(terms[0]) != gamma))
        count = min(int(job["slack"] * min(base.size, max(1, int(models[0][2] * base.size)))), lost.size)
        chosen = lost[np.argsort(np.abs(e[lost]), kind="stable")[:count]]
        gamma[chosen] = np.sign(terms[0][chosen])
    change = np.zeros_like(base)
    divisor = np.zeros_like(base)
    for term, weight in zip(terms, weights):
        agree = np.sign(term) == gamma
        change = change + np.where(agree, term, f32(0))
        divisor = divisor + np.where(agree, weight, f32(0))
    change = change / np.where(divisor == 0, f32(1), divisor)
    return np.where(change == 0, base, base + lam * change)


def beside_the_weights(job, config, model, words):
    """What config, tokenizer and the other files say, against the weights and the model they were to be taken from."""
    def raw(folder, name):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return file.read()

    wrong = {}
    written = json.loads(raw(job["out"], "config.json"))
    dtype = str(next(model.parameters()).dtype).split(".")[1]
    if written.get("dtype", written.get("torch_dtype")) != dtype:
        wrong["config dtype"] = [str(written.get("dtype"))]
    if job["causal"]:
        tied = model.get_input_embeddings().weight is model.get_output_embeddings().weight
        if bool(config.tie_word_embeddings) != tied:
            wrong["tie_word_embeddings"] = [str(config.tie_word_embeddings)]
        if words.chat_template != AutoTokenizer.from_pretrained(job["tokenizer"]).chat_template:
            wrong["chat template"] = [str(words.chat_template)]
        if not os.path.exists(os.path.join(job["out"], "generation_config.json")):
            wrong["generation_config.json"] = ["missing"]
    if raw(job["out"], "tokenizer.json") != raw(job["tokenizer"], "tokenizer.json"):
        wrong["tokenizer.json"] = ["not the chosen model's"]
    card = raw(job["out"], "README.md")
    if not card.startswith("---\nlibrary_name: transformers\n") or "mergekit-yaml" not in card:
        wrong["README.md"] = ["no model card"]
    shards = len(glob.glob(os.path.join(job["out"], "*.safetensors")))
    if (shards > 1) != os.path.exists(os.path.join(job["out"], "model.safetensors.index.json")) or (shards > 1) != job["sharded"]:
        wrong["index"] = [f"{shards} shards"]
    return wrong


def check(job):
    base = tensors_of(job["base"])
    models = [(model_of(model["folder"], base), model["weight"], model["density"]) for model in job["models"]]
    written = tensors_of(job["out"])
    assert set(written) == set(base), set(written) ^ set(base)
    differing = 0
    for name, theta in base.items():
        out = written[name]
        flat = [(theirs[name].float().numpy().ravel(), weight, density) for theirs, weight, density in models]
        mine = theta.float().numpy().ravel()
        if job.get("extended") and any(values.size != mine.size for values, _, _ in flat):
            # Shared rows are merged, the last model's own rows follow.
            rest = flat[-1][0][mine.size :]
            flat = [(values[: mine.size], weight, density) for values, weight, density in flat]
            expected = np.concatenate([merged(job, mine, flat), rest])
        else:
            assert list(out.shape) == list(theta.shape), name
            expected = merged(job, mine, flat)
        rounded = torch.from_numpy(expected.astype(np.float32)).to(out.dtype)
        differing += int((rounded.reshape(-1) != out.reshape(-1)).sum())
    config = AutoConfig.from_pretrained(job["out"])
    words = AutoTokenizer.from_pretrained(job["out"])
    kind = AutoModelForCausalLM if job["causal"] else AutoModel
    model, report = kind.from_pretrained(job["out"], output_loading_info=True)
    problems = {key: sorted(map(str, value)) for key, value in report.items() if value}
    ids = words("merging models", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        output = model(input_ids=ids)
    values = output.logits if job["causal"] else output.last_hidden_state
    finite = bool(torch.isfinite(values).all())
    rows = model.get_input_embeddings().weight.shape[0]
    good = differing == 0 and finite and not problems and config.vocab_size == rows and len(words) <= rows
    problems.update(beside_the_weights(job, config, model, words))
    good = good and not problems
    return {
        "name": job["name"], "ok": good, "tensors": len(written), "values": sum(t.numel() for t in written.values()), "differing": differing,
        "architecture": type(model).__name__, "dtype": str(next(model.parameters()).dtype).split(".")[1], "vocabulary": rows, "finite": finite, "problems": problems,
    }


def main(path):
    failed = False
    with open(path) as file:
        jobs = json.load(file)
    for job in jobs:
        try:
            result = check(job)
        except Exception as error:  # A job that cannot be checked has failed; the others still count.
            result = {"name": job["name"], "ok": False, "error": f"{type(error).__name__}: {error}"}
        failed |= not result["ok"]
        print(json.dumps(result), flush=True)
    sys.exit(1 if failed else 0)


main(sys.argv[1])
