"""Backbones: frozen pretrained nets, run by onnxruntime on the patches of a frontend of theirs."""
