"""Networks as ONNX files, which are run without TensorFlow."""
