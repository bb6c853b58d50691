"""Trains the demo's detector on the program's own scenes and writes it: ONNX, sidecar, metrics.

    python resources/demo/train/train.py --out resources/demo --seconds 560

Needs PyTorch, numpy, OpenCV and onnx; none of PyTorch is needed by the program. Seeded; the length of training is given in
seconds, so the weights depend on its speed, and the same command gives a like, not an equal, network.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from frames import CONDITIONS, HEIGHT, HELD_OUT, TOP, WIDTH, Frames, anchors_of, render
from loss import detection_loss
from network import SIZE, gflop, torch_network, write_onnx, write_sidecar
from score import ap50, detections
from torch.nn import functional as F  # noqa: N812

SMALL_AREA = (64 * WIDTH / 1280) ** 2


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=560.0, help="for everything, rendering included")
    parser.add_argument("--seeds", type=int, default=700)
    parser.add_argument("--each", type=int, default=9)
    parser.add_argument("--held-out", type=int, default=16)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    began = time.time()
    workers = min(16, os.cpu_count() or 1)
    learn = render(range(1000, 1000 + options.seeds), options.each, 2, workers)
    held = render(range(HELD_OUT, HELD_OUT + options.held_out), 4, 3, workers)
    print(
        f"rendered {len(learn.pictures)} + {len(held.pictures)} frames in {time.time() - began:.0f} s",
        flush=True,
    )
    sizes = anchors_of(learn.objects, options.seed)
    print("anchors", sizes.tolist(), f"{gflop():.3f} GFLOP", flush=True)
    network = torch_network().to(device).to(memory_format=torch.channels_last)
    kept = fit(network, learn, held, sizes, options, device, began + options.seconds - 12)
    save(kept, sizes, options.out)
    metrics = measure(kept, held, sizes, device)
    metrics["gflop"] = round(gflop(), 4)
    metrics["frames"] = len(learn.pictures)
    metrics["seconds"] = round(time.time() - began)
    (options.out / "train-metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(metrics), flush=True)


def save(network: Any, sizes: Any, out: Path) -> None:
    """Writes the weights, the ONNX file and its sidecar."""
    out.mkdir(parents=True, exist_ok=True)
    state = {name: value.float().cpu().numpy() for name, value in network.state_dict().items()}
    np.savez(out / "weights.npz", **state)
    write_onnx(out / "detector.onnx", state)
    write_sidecar(out / "detector.toml", sizes.tolist())


def fit(
    network: Any,
    learn: Frames,
    held: Frames,
    sizes: Any,
    options: argparse.Namespace,
    device: torch.device,
    end: float,
) -> Any:
    """Trains until the time `end`; returns the running mean of the weights."""
    anchors = torch.tensor(sizes, device=device)
    pictures = torch.from_numpy(learn.pictures).permute(0, 3, 1, 2).contiguous().to(device)
    objects = torch.from_numpy(learn.objects).to(device)
    bare = [p for name, p in network.named_parameters() if p.ndim == 1]
    rest = [p for name, p in network.named_parameters() if p.ndim > 1]
    optimiser = torch.optim.AdamW(
        [{"params": rest, "weight_decay": 1e-3}, {"params": bare, "weight_decay": 0.0}], lr=options.rate
    )
    mean = deepcopy(network).eval()
    network.train()
    began, step, shown = time.time(), 0, 0.0
    budget = end - began
    log = torch.zeros(3, device=device)
    while True:
        order = torch.randperm(len(pictures), device=device)
        for start in range(0, len(order) - options.batch + 1, options.batch):
            done = (time.time() - began) / budget
            if done >= 1:
                return mean
            rate = (
                options.rate
                * min(1.0, (step + 1) / 400)
                * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
            )
            for group in optimiser.param_groups:
                group["lr"] = rate
            chosen = order[start : start + options.batch]
            images, truth = varied(pictures[chosen], objects[chosen], plain=done > 0.9)
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                heads = network(images.to(memory_format=torch.channels_last))
            loss, parts = detection_loss(heads, truth, anchors)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
            optimiser.step()
            step += 1
            log += parts
            keep = min(0.9995, (1 + step) / (20 + step))
            with torch.no_grad():
                ours, theirs = mean.state_dict(), network.state_dict()
                floats = [name for name in ours if ours[name].dtype.is_floating_point]
                torch._foreach_lerp_([ours[n] for n in floats], [theirs[n] for n in floats], 1 - keep)
            if step % 200 == 0 or step == 20:
                seconds = time.time() - began
                values = (log / (200 if step % 200 == 0 else 20)).tolist()
                log.zero_()
                print(
                    f"{seconds:5.0f} s step {step} lr {rate:.5f} box {values[0]:.3f} object {values[1]:.3f} class {values[2]:.3f}",
                    flush=True,
                )
                if seconds - shown > 90:
                    shown = seconds
                    save(mean, sizes, options.out)
                    print(json.dumps(measure(mean, held, sizes, device)), flush=True)


def varied(pictures: Any, objects: Any, plain: bool) -> tuple[Any, Any]:
    """A batch as the network sees it, [B, 3, 416, 416], mirrored, relit, zoomed by chance; and its objects."""
    batch, device = len(pictures), pictures.device
    images = torch.full((batch, 3, SIZE, SIZE), 114 / 255, device=device)
    images[:, :, TOP : TOP + HEIGHT] = pictures.float() / 255
    objects = objects.clone()
    flip = torch.rand(batch, device=device) < 0.5
    images = torch.where(flip[:, None, None, None], images.flip(3), images)
    mirrored = torch.stack(
        [
            objects[..., 0],
            SIZE - objects[..., 3],
            objects[..., 2],
            SIZE - objects[..., 1],
            objects[..., 4],
            objects[..., 5],
        ],
        -1,
    )
    objects = torch.where(flip[:, None, None] & (objects[..., :1] >= 0), mirrored, objects)
    if not plain:
        zoom = torch.where(
            torch.rand(batch, device=device) < 0.5,
            torch.empty(batch, device=device).uniform_(0.8, 1.5),
            torch.ones(batch, device=device),
        )
        room = (zoom - 1).abs() * SIZE / 2 * (zoom != 1)
        dx = (torch.rand(batch, device=device) * 2 - 1) * room
        dy = (torch.rand(batch, device=device) * 2 - 1) * room * 0.5
        theta = torch.zeros(batch, 2, 3, device=device)
        theta[:, 0, 0] = theta[:, 1, 1] = 1 / zoom
        theta[:, 0, 2], theta[:, 1, 2] = -dx / zoom * 2 / SIZE, -dy / zoom * 2 / SIZE
        grid = F.affine_grid(theta, list(images.shape), align_corners=False)
        moved = F.grid_sample(images - 114 / 255, grid, align_corners=False) + 114 / 255
        images = torch.where((zoom == 1)[:, None, None, None], images, moved)
        for low in (1, 3):
            objects[..., low] = (objects[..., low] - SIZE / 2) * zoom[:, None] + SIZE / 2 + dx[:, None]
            objects[..., low + 1] = (
                (objects[..., low + 1] - SIZE / 2) * zoom[:, None] + SIZE / 2 + dy[:, None]
            )
        whole = (objects[..., 3] - objects[..., 1]) * (objects[..., 4] - objects[..., 2])
        real = objects[..., 0] >= 0
        objects[..., 1:5] = objects[..., 1:5].clamp(0, SIZE)
        left = (objects[..., 3] - objects[..., 1]) * (objects[..., 4] - objects[..., 2])
        objects[..., 5] = torch.where(
            real & ((left < 0.35 * whole) | (objects[..., 4] - objects[..., 2] < 8)),
            torch.ones_like(left),
            objects[..., 5],
        )
        objects[..., 0] = torch.where(real & (left > 1), objects[..., 0], torch.full_like(left, -1))
        gain = torch.empty(batch, 3, 1, 1, device=device).uniform_(0.93, 1.07) * torch.empty(
            batch, 1, 1, 1, device=device
        ).uniform_(0.8, 1.2)
        shift = torch.empty(batch, 1, 1, 1, device=device).uniform_(-0.04, 0.04)
        middle = torch.full_like(images, 0.0)
        middle[:, :, TOP : TOP + HEIGHT] = 1.0
        lit = (images * gain + shift).clamp(0, 1)
        images = torch.where((middle > 0) | (zoom != 1)[:, None, None, None], lit, images)
    return images, objects


@torch.no_grad()
def measure(network: Any, held: Frames, sizes: Any, device: torch.device) -> dict[str, Any]:
    """AP50 on the held-out frames: of all, of small objects, and by condition."""
    network.eval()
    anchors = torch.tensor(sizes, device=device)
    found = []
    for start in range(0, len(held.pictures), 32):
        part = torch.from_numpy(held.pictures[start : start + 32]).permute(0, 3, 1, 2).to(device)
        images = torch.full((len(part), 3, SIZE, SIZE), 114 / 255, device=device)
        images[:, :, TOP : TOP + HEIGHT] = part.float() / 255
        found += detections(network(images), anchors)
    result: dict[str, Any] = {
        "ap50": round(ap50(found, held.objects), 4),
        "small": round(ap50(found, held.objects, SMALL_AREA), 4),
    }
    for number, name in enumerate(CONDITIONS):
        rows = np.flatnonzero(held.condition == number)
        if len(rows):
            part_found, part_objects = [found[row] for row in rows], held.objects[rows]
            result[name] = {
                "ap50": round(ap50(part_found, part_objects), 4),
                "small": round(ap50(part_found, part_objects, SMALL_AREA), 4),
            }
    return result


if __name__ == "__main__":
    main()
