"""Sequence classifiers of transformers with tiny configurations: two layers, 16 to 32 units, 50 words."""

from collections.abc import Callable

import torch
import transformers
from torch import nn

CLASSES = 5
WORDS = 50
PAD = 1


class Classifier(nn.Module):
    """Positional inputs in, logits out: the signature that exporters see."""

    def __init__(self, network: nn.Module, names: tuple[str, ...]):
        super().__init__()
        self.network, self.names = network, names

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.network(**dict(zip(self.names, inputs, strict=True)), return_dict=True).logits


MASKED = ("input_ids", "attention_mask")
TYPED = ("input_ids", "attention_mask", "token_type_ids")
COMMON = dict(vocab_size=WORDS, num_labels=CLASSES, pad_token_id=PAD)
TINY = dict(
    **COMMON, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=40
)


END = 2
CAUSAL = dict(num_key_value_heads=1, use_cache=False)
"""Keys and values shared by the heads; nothing is kept for further tokens."""


class TextNetwork:
    """How to build one network (given the attention implementation), its inputs, embedding and tap modules."""

    def __init__(self, build: Callable[[str], nn.Module], names: tuple[str, ...], taps: list[str], fused: bool = True, end: int | None = None, table: str | None = None):
        self.build_network, self.names, self.taps = build, names, taps
        self.fused = fused
        """Whether transformers offers scaled_dot_product_attention for it."""
        self.end = end
        """The word that ends every text, and stands nowhere else: what encoder-decoders read their answer at."""
        self.table = table
        """The embedding module to ask at where the network has several on one table."""

    def build(self, attention: str) -> nn.Module:
        return Classifier(self.build_network(attention), self.names)

    def inputs(self, batch: int, tokens: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
        """Row 0 is full; every later row ends in one more padding token than the one before it. Uses the first 50 words."""
        ids = torch.randint(2 if self.end is None else self.end + 1, WORDS, (batch, tokens), generator=generator)
        lengths = tokens - torch.arange(batch)
        if self.end is not None:
            ids[torch.arange(batch), lengths - 1] = self.end
        mask = (torch.arange(tokens)[None] < lengths[:, None]).long()
        types = (torch.arange(tokens)[None] >= tokens // 2).long().expand(batch, tokens).contiguous()
        everything = {"input_ids": ids * mask + PAD * (1 - mask), "attention_mask": mask, "token_type_ids": types}
        return {name: everything[name] for name in self.names}


def of(config: type, network: type, **settings) -> Callable[[str], nn.Module]:
    return lambda attention: network(config(**settings, attn_implementation=attention))


def without(settings: dict, *names: str) -> dict:
    return {name: value for name, value in settings.items() if name not in names}


t = transformers
DEBERTA = dict(
    **TINY, relative_attention=True, pos_att_type=["p2c", "c2p"], position_biased_input=False, max_relative_positions=-1,
    position_buckets=4, norm_rel_ebd="layer_norm", share_att_key=True, pooler_hidden_size=16,
)  # fmt: skip

TEXT_NETWORKS = {
    "bert": TextNetwork(
        of(t.BertConfig, t.BertForSequenceClassification, **TINY), TYPED,
        ["network.bert.embeddings", "network.bert.encoder.layer.0", "network.bert.encoder.layer.1"],
    ),
    "distilbert": TextNetwork(
        of(
            t.DistilBertConfig, t.DistilBertForSequenceClassification,
            **COMMON, dim=16, n_layers=2, n_heads=2, hidden_dim=32, max_position_embeddings=40,
        ),
        MASKED,
        ["network.distilbert.transformer.layer.0", "network.distilbert.transformer.layer.1"],
    ),
    "roberta": TextNetwork(
        of(t.RobertaConfig, t.RobertaForSequenceClassification, **TINY, type_vocab_size=1), MASKED,
        ["network.roberta.encoder.layer.0", "network.roberta.encoder.layer.1"],
    ),
    "albert": TextNetwork(
        of(t.AlbertConfig, t.AlbertForSequenceClassification, **TINY, embedding_size=8, hidden_act="gelu_new"), TYPED,
        ["network.albert.encoder.embedding_hidden_mapping_in", "network.albert.encoder.albert_layer_groups.0", "network.albert.pooler"],
    ),
    "electra": TextNetwork(
        of(t.ElectraConfig, t.ElectraForSequenceClassification, **TINY, embedding_size=8), TYPED,
        ["network.electra.embeddings_project", "network.electra.encoder.layer.0", "network.electra.encoder.layer.1"],
    ),
    "mpnet": TextNetwork(
        of(t.MPNetConfig, t.MPNetForSequenceClassification, **TINY), MASKED,
        ["network.mpnet.encoder.layer.0", "network.mpnet.encoder.layer.1"],
        fused=False,
    ),
    # Version 2 as its larger models are: token types, a convolution beside the first layer.
    "deberta-v2": TextNetwork(
        of(
            t.DebertaV2Config, t.DebertaV2ForSequenceClassification,
            **DEBERTA, type_vocab_size=2, conv_kernel_size=3, conv_act="gelu",
        ),
        TYPED,
        ["network.deberta.encoder.conv", "network.deberta.encoder.layer.0", "network.deberta.encoder.layer.1"],
        fused=False,
    ),
    "deberta-v3": TextNetwork(
        of(t.DebertaV2Config, t.DebertaV2ForSequenceClassification, **DEBERTA, type_vocab_size=0), MASKED,
        ["network.deberta.encoder.layer.0", "network.deberta.encoder.layer.1"],
        fused=False,
    ),
    "xlm-r": TextNetwork(
        of(
            t.XLMRobertaConfig, t.XLMRobertaForSequenceClassification,
            **without(TINY, "hidden_size"), hidden_size=24, type_vocab_size=1,
        ),
        MASKED,
        ["network.roberta.encoder.layer.0", "network.roberta.encoder.layer.1"],
    ),
    "gpt2": TextNetwork(
        of(
            t.GPT2Config, t.GPT2ForSequenceClassification,
            **COMMON, n_embd=16, n_layer=2, n_head=2, n_positions=40, bos_token_id=None, eos_token_id=None,
        ),
        MASKED,
        ["network.transformer.h.0", "network.transformer.h.1", "network.transformer.ln_f"],
    ),
    # Version 1: one projection for queries, keys and values, distances in a table.
    "deberta-v1": TextNetwork(
        of(
            t.DebertaConfig, t.DebertaForSequenceClassification,
            **TINY, relative_attention=True, pos_att_type=["c2p", "p2c"], max_relative_positions=-1,
            position_biased_input=False, pooler_hidden_size=16, type_vocab_size=0,
        ),
        MASKED,
        ["network.deberta.encoder.layer.0", "network.deberta.encoder.layer.1"],
        fused=False,
    ),
    # Every second layer attends to its neighbours only.
    "modernbert": TextNetwork(
        of(
            t.ModernBertConfig, t.ModernBertForSequenceClassification,
            **TINY, global_attn_every_n_layers=2, local_attention=4,
            cls_token_id=2, sep_token_id=3, bos_token_id=2, eos_token_id=3,
        ),
        MASKED,
        ["network.model.layers.0", "network.model.layers.1", "network.model.final_norm"],
    ),
    "llama": TextNetwork(
        of(t.LlamaConfig, t.LlamaForSequenceClassification, **TINY, **CAUSAL), MASKED,
        ["network.model.layers.0", "network.model.layers.1", "network.model.norm"],
    ),
    "qwen2": TextNetwork(
        of(t.Qwen2Config, t.Qwen2ForSequenceClassification, **TINY, **CAUSAL), MASKED,
        ["network.model.layers.0", "network.model.layers.1", "network.model.norm"],
    ),
    # The table is read twice: by the encoder with the text, by the decoder with the text one place later.
    "bart": TextNetwork(
        of(
            t.BartConfig, t.BartForSequenceClassification,
            **COMMON, d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2,
            encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=40, eos_token_id=END, bos_token_id=0,
            decoder_start_token_id=END, forced_eos_token_id=None, use_cache=False,
        ),
        MASKED,
        ["network.model.encoder.layers.0", "network.model.encoder.layers.1"],
        end=END, table="network.model.encoder.embed_tokens",
    ),
    # One layer: attention without a scale makes deeper random ones worse conditioned than the goldens allow.
    "t5": TextNetwork(
        of(
            t.T5Config, t.T5ForSequenceClassification,
            **COMMON, d_model=16, d_kv=4, d_ff=32, num_layers=1, num_decoder_layers=1, num_heads=2, eos_token_id=END, decoder_start_token_id=PAD,
            use_cache=False,
        ),
        MASKED,
        ["network.transformer.encoder.block.0", "network.transformer.encoder.final_layer_norm"],
        fused=False, end=END, table="network.transformer.encoder.embed_tokens",
    ),
}  # fmt: skip
