"""Writes onnx_pb.ts: the protobuf-es code for onnx-ml.proto, from the descriptor inside the `onnx` Python package (1.23.2).

Run in an empty folder after `npm i @bufbuild/protobuf @bufbuild/protoc-gen-es` (2.13.0):  python generate.py
No protoc is needed: the plug-in is handed the package's own descriptor.
"""
import subprocess
from google.protobuf.compiler import plugin_pb2
from onnx import onnx_ml_pb2


def name_json(message):
    for field in message.field:
        first, *rest = field.name.split('_')
        field.json_name = first + ''.join(word.title() for word in rest)
    for nested in message.nested_type:
        name_json(nested)


request = plugin_pb2.CodeGeneratorRequest()
descriptor = request.proto_file.add()
onnx_ml_pb2.DESCRIPTOR.CopyToProto(descriptor)
descriptor.name = 'onnx.proto'
for message in descriptor.message_type:
    name_json(message)
request.file_to_generate.append('onnx.proto')
request.parameter = 'target=ts,import_extension=ts'
run = subprocess.run(
    ['node_modules/.bin/protoc-gen-es'], input=request.SerializeToString(), capture_output=True, check=True
)
for file in plugin_pb2.CodeGeneratorResponse.FromString(run.stdout).file:
    with open(file.name, 'w') as out:
        out.write(file.content.replace('/* eslint-disable */\n', '', 1))
