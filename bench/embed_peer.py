"""Runs in a peer's environment: the embedded model by another engine, as one process that prints its times.

    embed_peer.py onnxruntime|onnxruntime-int8|torch MODEL_DIRECTORY TEXTS.json VECTORS THREADS

Texts are sorted by their length and run 32 at a time, padded to the longest of the 32: the way that suits these engines best.
"""
import json
import pathlib
import sys
import tempfile
import time

import numpy
import tokenizers

BATCH = 32
LIMIT = 256
QUERIES = 200
LAYERS = 6
HEADS = 12
EPSILON = 1e-12


def graph(directory):
    """The model as ONNX, with the fused operators that onnxruntime's own optimizer makes of an exported one."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from safetensors.numpy import load_file

    weights = load_file(f"{directory}/model.safetensors")
    nodes, tensors = [], []

    def tensor(name, value):
        tensors.append(numpy_helper.from_array(numpy.ascontiguousarray(value), name))
        return name

    def node(kind, inputs, domain="", outputs=1, **attributes):
        names = [f"{kind}{len(nodes)}_{number}" for number in range(outputs)]
        nodes.append(helper.make_node(kind, inputs, names, domain=domain, **attributes))
        return names[0]

    def norm(before, name):
        inputs = [before, tensor(f"{name}.weight", weights[f"{name}.weight"]), tensor(f"{name}.bias", weights[f"{name}.bias"])]
        return node("LayerNormalization", inputs, axis=-1, epsilon=EPSILON)

    def linear(before, name):
        product = node("MatMul", [before, tensor(f"{name}.weight", weights[f"{name}.weight"].T)])
        return product, tensor(f"{name}.bias", weights[f"{name}.bias"])

    def skip(before, after, bias, name):
        gain, shift = (tensor(f"{name}.{part}", weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return node("SkipLayerNormalization", [after, before, gain, shift, bias], "com.microsoft", epsilon=EPSILON)

    word = node("Gather", [tensor("words", weights["embeddings.word_embeddings.weight"]), "ids"])
    places = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    shape = node("Shape", ["ids"])
    longest = node("Slice", [shape, tensor("one", numpy.array([1])), tensor("two", numpy.array([2]))])
    place = node("Slice", [tensor("places", places), tensor("zero", numpy.array([0])), longest])
    x = norm(node("Add", [word, place]), "embeddings.LayerNorm")
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        parts = [f"{at}.attention.self.{part}" for part in ("query", "key", "value")]
        qkv = tensor(f"{at}.qkv", numpy.concatenate([weights[f"{part}.weight"].T for part in parts], axis=1))
        bias = tensor(f"{at}.qkv.bias", numpy.concatenate([weights[f"{part}.bias"] for part in parts]))
        seen = node("Attention", [x, qkv, bias, "mask"], "com.microsoft", num_heads=HEADS)
        x = skip(x, *linear(seen, f"{at}.attention.output.dense"), f"{at}.attention.output.LayerNorm")
        middle = node("BiasGelu", list(linear(x, f"{at}.intermediate.dense")), "com.microsoft")
        x = skip(x, *linear(middle, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    nodes.append(helper.make_node("Identity", [x], ["x"]))
    integers = [helper.make_tensor_value_info(name, kind, ["batch", "length"]) for name, kind in (("ids", TensorProto.INT64), ("mask", TensorProto.INT32))]
    result = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", "length", 384])]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(helper.make_graph(nodes, "minilm", integers, result, tensors), opset_imports=opsets, ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def in_bytes(model):
    """The same with its matrices as bytes, each output with a factor of its own: of onnxruntime's ways the one nearest to the original."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as place:
        whole, small = pathlib.Path(place) / "whole.onnx", pathlib.Path(place) / "small.onnx"
        whole.write_bytes(model)
        # Types of the fused operators' results are not known to it.
        quantize_dynamic(whole, small, weight_type=QuantType.QInt8, per_channel=True, extra_options={"DefaultTensorType": 1})
        return small.read_bytes()


def with_onnxruntime(directory, threads, prepared=lambda model: model):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(prepared(graph(directory)), options, providers=["CPUExecutionProvider"])
    return lambda ids, mask: session.run(None, {"ids": ids, "mask": mask.astype(numpy.int32)})[0]


def with_torch(directory, threads):
    import torch
    from transformers import BertModel

    torch.set_num_threads(threads)
    model = BertModel.from_pretrained(directory, add_pooling_layer=False).eval()

    def run(ids, mask):
        with torch.inference_mode():
            return model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).last_hidden_state.numpy()

    return run


def embedder(tokenizer, run):
    """Texts to vectors of unit length, in the order of the texts."""

    def embed(texts):
        encoded = tokenizer.encode_batch(texts)
        order = sorted(range(len(texts)), key=lambda at: len(encoded[at].ids))
        vectors = numpy.empty((len(texts), 384), numpy.float32)
        for first in range(0, len(order), BATCH):
            batch = order[first:first + BATCH]
            longest = len(encoded[batch[-1]].ids)
            ids, mask = numpy.zeros((2, len(batch), longest), numpy.int64)
            for row, at in enumerate(batch):
                ids[row, :len(encoded[at].ids)] = encoded[at].ids
                mask[row, :len(encoded[at].ids)] = 1
            pooled = (run(ids, mask) * mask[..., None]).sum(1)
            vectors[batch] = pooled / numpy.linalg.norm(pooled, axis=1, keepdims=True)
        return vectors

    return embed


def main():
    engine, directory, texts, vectors, threads = sys.argv[1:]
    with open(texts, encoding="utf-8") as file:
        texts = json.load(file)
    tokenizer = tokenizers.Tokenizer.from_file(f"{directory}/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(LIMIT)
    began = time.perf_counter()
    engines = {"onnxruntime": with_onnxruntime, "onnxruntime-int8": lambda *of: with_onnxruntime(*of, in_bytes), "torch": with_torch}
    embed = embedder(tokenizer, engines[engine](directory, int(threads)))
    embed(["warm"])
    load = time.perf_counter() - began
    began = time.perf_counter()
    embedded = embed(texts)
    batch = time.perf_counter() - began
    queries = []
    for text in texts[:QUERIES]:
        began = time.perf_counter()
        embed([text])
        queries.append(time.perf_counter() - began)
    embedded.astype("<f4").tofile(vectors)
    json.dump({"load_seconds": load, "batch_seconds": batch, "query_seconds": sorted(queries)[len(queries) // 2]}, sys.stdout)


if __name__ == "__main__":
    main()
