"""A frame becomes the model's input tensor, and boxes find their way back to pixels of the frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trtviewer.errors import ShapeMismatch
from trtviewer.models.spec import InputSpec, Resize
from trtviewer.opencv import cv2


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a frame lies in the input: input pixel = source pixel * scale + offset, on each axis.

    Attributes:
        frame_size, input_size: height and width, in pixels.
        scale_x, scale_y: input pixels for one pixel of the source. Of a letterbox both are the ratio that was asked for, not that
            of the rounded size, as in Ultralytics' scale_boxes.
        offset_x, offset_y: the bars left of and above the picture, in input pixels.
    """

    frame_size: tuple[int, int]
    input_size: tuple[int, int]
    scale_x: float
    scale_y: float
    offset_x: float
    offset_y: float

    def to_source(self, xyxy: ArrayLike) -> NDArray[np.float32]:
        """Boxes of the input, [N, 4], as boxes in pixels of the source frame, [N, 4] float32; not clipped. Computed in float64."""
        scale, offset = self._axes()
        boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
        return ((boxes - offset) / scale).astype(np.float32)

    def to_input(self, xyxy: ArrayLike) -> NDArray[np.float32]:
        """Boxes in pixels of the source frame, [N, 4], as boxes of the input, [N, 4] float32. Computed in float64."""
        scale, offset = self._axes()
        boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
        return (boxes * scale + offset).astype(np.float32)

    def _axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float64)
        offset = np.array([self.offset_x, self.offset_y] * 2, np.float64)
        return scale, offset


@dataclass(frozen=True, eq=False, slots=True)
class Prepared:
    """A frame made ready for a model.

    Attributes:
        tensor: [1, 3, H, W] float32, contiguous; channels in the order of the model's colour. The caller's buffer where one was given.
        placement: the way back to the frame.
    """

    tensor: NDArray[np.float32]
    placement: Placement


def place(frame_size: tuple[int, int], spec: InputSpec) -> tuple[Placement, tuple[int, int]]:
    """Where a frame of that size lies in the input, and the height and width that it is resized to.

    Both letterboxes round the size as Ultralytics' does (YOLOX itself cuts the fraction off, at most one row or column less).
    Source: ultralytics.data.augment.LetterBox, ultralytics.utils.ops.scale_boxes.
    """
    height, width = frame_size
    rows, columns = spec.size
    if spec.resize is Resize.STRETCH:
        return Placement(frame_size, spec.size, columns / width, rows / height, 0.0, 0.0), spec.size
    ratio = min(rows / height, columns / width)
    # A picture a thousand times longer than wide would round to nothing.
    fitted = max(1, round(height * ratio)), max(1, round(width * ratio))
    left = top = 0
    if spec.resize is Resize.LETTERBOX:
        # The 0.1 gives the odd pixel to the bar below and to the right.
        top, left = round((rows - fitted[0]) / 2 - 0.1), round((columns - fitted[1]) / 2 - 0.1)
    return Placement(frame_size, spec.size, ratio, ratio, float(left), float(top)), fitted


def normalisation_table(spec: InputSpec) -> NDArray[np.float32]:
    """[3, 256]: the input value of each pixel value, by channel in the order of `spec.colour`; computed in float64, rounded once.

    A float32 product `pixel * (1/255)` differs from the division that networks are trained with in 130 of 256 values.
    """
    pixels = np.arange(256, dtype=np.float64) * spec.pixel_scale
    mean, std = np.array(spec.mean, np.float64), np.array(spec.std, np.float64)
    return ((pixels[None, :] - mean[:, None]) / std[:, None]).astype(np.float32)


class Preprocessor:
    """Makes input tensors for one `InputSpec`; keeps its scratch memory between frames, so one thread at a time uses it.

    Bars and picture are normalised by the same table, so that a bar is exactly a pixel of the value `pad`.
    """

    def __init__(self, spec: InputSpec) -> None:
        self.spec = spec
        self.shape = (1, 3, *spec.size)
        self._tables = [np.ascontiguousarray(row) for row in normalisation_table(spec)]
        self._pads = [float(table[spec.pad]) for table in self._tables]
        self._resized = np.empty((0, 0, 3), np.uint8)
        self._planes = [np.empty((0, 0), np.uint8)] * 3

    def prepare(self, picture: NDArray[np.uint8], out: NDArray[np.float32] | None = None) -> Prepared:
        """Makes the input tensor of one frame.

        Args:
            picture: [H, W, 3] BGR uint8, any size.
            out: a [1, 3, H, W] float32 contiguous buffer that is overwritten whole; without it the tensor is a new one.

        Raises:
            ShapeMismatch: `picture` or `out` is not of that shape and type.
        """
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or picture.size == 0:
            raise ShapeMismatch(f"a picture is [H, W, 3] uint8, not {picture.shape} {picture.dtype}")
        tensor = np.empty(self.shape, np.float32) if out is None else out
        if tensor.shape != self.shape or tensor.dtype != np.float32 or not tensor.flags.c_contiguous:
            raise ShapeMismatch(
                f"the tensor must be {self.shape} float32, contiguous, not {tensor.shape} {tensor.dtype}"
            )
        placement, fitted = place((picture.shape[0], picture.shape[1]), self.spec)
        top, left = int(placement.offset_y), int(placement.offset_x)
        bottom, right = top + fitted[0], left + fitted[1]
        for channel, plane in enumerate(self._split(self._fit(picture, fitted))):
            page = tensor[0, channel]
            pad = self._pads[channel]
            page[:top], page[bottom:] = pad, pad
            page[top:bottom, :left], page[top:bottom, right:] = pad, pad
            cv2.LUT(plane, self._tables[channel], dst=page[top:bottom, left:right])
        return Prepared(tensor, placement)

    def _fit(self, picture: NDArray[np.uint8], fitted: tuple[int, int]) -> NDArray[np.uint8]:
        if picture.shape[:2] == fitted:
            return picture
        if self._resized.shape[:2] != fitted:
            self._resized = np.empty((*fitted, 3), np.uint8)
        cv2.resize(picture, fitted[::-1], dst=self._resized, interpolation=cv2.INTER_LINEAR)
        return self._resized

    def _split(self, picture: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        """The three planes of `picture`, in the order of the model's colour."""
        if self._planes[0].shape != picture.shape[:2]:
            self._planes = [np.empty(picture.shape[:2], np.uint8) for _ in range(3)]
        cv2.split(picture, self._planes)
        return self._planes[::-1] if self.spec.colour == "rgb" else self._planes


def to_model_layout(tensor: NDArray[np.float32], spec: InputSpec) -> NDArray[Any]:
    """The common input tensor in the model's own element type and layout; itself where it already is that.

    A float16 model gets each value rounded to the nearest float16. A uint8 model normalises inside itself and takes pixels:
    the normalisation is undone in float64 and rounded to the nearest whole number (halves to even), 0..255, which gives back exactly
    the pixels that `Preprocessor` put in. So it can stand beside a float model whose normalisation its sidecar names.

    Args:
        tensor: [1, 3, H, W] float32.
    """
    array: NDArray[Any] = tensor
    if spec.dtype == "uint8":
        mean, std = (np.array(values, np.float64).reshape(1, 3, 1, 1) for values in (spec.mean, spec.std))
        pixels = (tensor * std + mean) / spec.pixel_scale
        array = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    elif tensor.dtype != np.dtype(spec.dtype):
        array = tensor.astype(spec.dtype)
    if spec.layout == "nhwc":
        array = array.transpose(0, 2, 3, 1)
    return np.ascontiguousarray(array)
