"""Accuracy of the exported model.onnx on the test pictures, from Python (Pillow's resize).

    python evaluate.py --data DIR [--model ..] [--kernel bilinear]
"""
import argparse, os
import numpy as np, onnxruntime as ort
from PIL import Image
from data import load, squash, crop

cli = argparse.ArgumentParser()
cli.add_argument('--data', default=os.environ.get('LIMELIGHT_DATA'), help='folder with cats-dogs.tar')
cli.add_argument('--model', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
cli.add_argument('--kernel', default='bilinear')
cli.add_argument('--crop', type=float, help='centre crop of this fraction of the shorter side, instead of squashing')
args = cli.parse_args()
kernel = getattr(Image, args.kernel.upper())
read = (lambda j: crop(j, args.crop, kernel)) if args.crop else (lambda j: squash(j, kernel))
session = ort.InferenceSession(os.path.join(args.model, 'model.onnx'))
items = load(args.data, 'test'); right = 0
for a in range(0, len(items), 50):
    x = np.stack([read(j).numpy() for j, _ in items[a:a + 50]])
    right += int((session.run(['logits'], {'image': x})[0].argmax(1) == [y for _, y in items[a:a + 50]]).sum())
print('cats-dogs/test n', len(items), 'accuracy', right / len(items))
