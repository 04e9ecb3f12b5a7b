"""Makes tiny checkpoints with the transformers library: for each architecture a base, a task model and a continually
pre-trained one; one task model is an adapter. `python make_models.py FOLDER`; prints a JSON line per family."""
import copy
import json
import os
import sys

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    BertConfig,
    Gemma2Config,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
)

TEXT = ["The quick brown fox jumps over the lazy dog.", "merging models of low-resource languages", "0123456789 " * 4]
SMALL = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64)
CHAT = "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}\n{% endfor %}"


def tokenizer(size, chat=CHAT):
    raw = Tokenizer(models.BPE(unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=size, special_tokens=["<unk>", "<s>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    made = PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="</s>")
    made.chat_template = chat
    return made


def families(vocabulary):
    common = dict(vocab_size=vocabulary, bos_token_id=1, eos_token_id=2)
    yield "llama", LlamaConfig(**SMALL, **common), torch.bfloat16, AutoModelForCausalLM
    yield "llama-tied-f16", LlamaConfig(**SMALL, **common, tie_word_embeddings=True), torch.float16, AutoModelForCausalLM
    yield "qwen2", Qwen2Config(**SMALL, **common), torch.bfloat16, AutoModelForCausalLM
    yield "qwen3", Qwen3Config(**SMALL, **common, head_dim=16), torch.bfloat16, AutoModelForCausalLM
    yield "gemma2", Gemma2Config(**SMALL, **common, head_dim=16), torch.bfloat16, AutoModelForCausalLM
    yield "mistral", MistralConfig(**SMALL, **common), torch.float32, AutoModelForCausalLM
    yield "gpt2", GPT2Config(vocab_size=vocabulary, n_positions=64, n_embd=64, n_layer=2, n_head=4, bos_token_id=1, eos_token_id=2), torch.float32, AutoModelForCausalLM
    yield "bert", BertConfig(vocab_size=vocabulary, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=64), torch.float32, AutoModel


def moved(model, seed, share, scale):
    """A copy whose floating weights are moved: all of them a little, a share of them more."""
    generator = torch.Generator().manual_seed(seed)
    other = type(model)(copy.deepcopy(model.config))
    other.load_state_dict(model.state_dict())
    with torch.no_grad():
        for weight in other.parameters():
            noise = torch.randn(weight.shape, generator=generator) * scale
            mask = (torch.rand(weight.shape, generator=generator) < share).float()
            weight += noise * (0.1 + mask)
    return other


def main(folder):
    made = tokenizer(300)
    vocabulary = len(made)
    for name, config, dtype, auto in families(vocabulary):
        torch.manual_seed(1)
        base = auto.from_config(config).float()
        three = {"base": base, "sft": moved(base, 2, 0.2, 0.02), "ct": moved(base, 3, 0.6, 0.03)}
        for role, model in three.items():
            target = os.path.join(folder, name, role)
            model.to(dtype).save_pretrained(target)
            made.save_pretrained(target)
        print(json.dumps({"name": name, "architecture": type(base).__name__, "dtype": str(dtype).split(".")[1], "causal": auto is AutoModelForCausalLM}))

    # Continual pre-training with new tokens: more rows in the embedding and in the head.
    longer = tokenizer(300, CHAT.replace("<|", "<|ct "))
    longer.add_tokens(["ज़", "ಕ", "ღ", "ო"])
    torch.manual_seed(1)
    base = AutoModelForCausalLM.from_config(LlamaConfig(**SMALL, vocab_size=vocabulary, bos_token_id=1, eos_token_id=2)).float()
    ct = moved(base, 3, 0.6, 0.03)
    ct.resize_token_embeddings(len(longer))
    for role, model, words in (("base", base, made), ("sft", moved(base, 2, 0.2, 0.02), made), ("ct", ct, longer)):
        target = os.path.join(folder, "llama-extended", role)
        model.to(torch.bfloat16).save_pretrained(target)
        words.save_pretrained(target)
    print(json.dumps({"name": "llama-extended", "architecture": "LlamaForCausalLM", "dtype": "bfloat16", "causal": True, "extended": True}))

    # Weights as torch saves them, without safetensors: what many older checkpoints are.
    torch.manual_seed(1)
    base = AutoModelForCausalLM.from_config(LlamaConfig(**SMALL, vocab_size=vocabulary, bos_token_id=1, eos_token_id=2)).float()
    for role, model in (("base", base), ("sft", moved(base, 2, 0.2, 0.02)), ("ct", moved(base, 3, 0.6, 0.03))):
        target = os.path.join(folder, "llama-bin", role)
        model.to(torch.float16).save_pretrained(target)
        made.save_pretrained(target)
        os.remove(os.path.join(target, "model.safetensors"))
        torch.save(model.state_dict(), os.path.join(target, "pytorch_model.bin"))
    print(json.dumps({"name": "llama-bin", "architecture": "LlamaForCausalLM", "dtype": "float16", "causal": True}))

    # The task model as an adapter that PEFT saved.
    torch.manual_seed(1)
    base = AutoModelForCausalLM.from_config(LlamaConfig(**SMALL, vocab_size=vocabulary, bos_token_id=1, eos_token_id=2)).float()
    for role, model in (("base", base), ("ct", moved(base, 3, 0.6, 0.03))):
        target = os.path.join(folder, "llama-lora", role)
        copy.deepcopy(model).to(torch.bfloat16).save_pretrained(target)
        made.save_pretrained(target)
    adapted = get_peft_model(base, LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM"))
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight += torch.randn(weight.shape, generator=generator) * 0.02
    adapted.save_pretrained(os.path.join(folder, "llama-lora", "sft"))
    print(json.dumps({"name": "llama-lora", "architecture": "LlamaForCausalLM", "dtype": "bfloat16", "causal": True}))


main(sys.argv[1])
