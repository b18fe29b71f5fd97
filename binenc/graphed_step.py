"""A training step as one CUDA graph."""

import gc
from collections.abc import Callable

import torch
from torch import Tensor, nn


class GraphedStep:
    """A step recorded as a CUDA graph and replayed, so that the GPU does not wait for Python.

    The first batches run as they are, on a side stream: the warm-up that recording needs is part of the
    training. So does a shorter last batch. Training and evaluation mode (dropout) have a graph each.
    """

    WARM_UP = 3

    def __init__(self, step: Callable, model: nn.Module, batch_size: int):
        self.step, self.model, self.batch_size = step, model, batch_size
        self.stream = torch.cuda.Stream()
        self.graphs, self.seen = {}, {True: 0, False: 0}

    def __call__(self, images: Tensor, labels: Tensor) -> None:
        mode = self.model.training
        if len(labels) < self.batch_size or self.seen[mode] < self.WARM_UP:
            self.seen[mode] += len(labels) == self.batch_size
            self.stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.stream):
                self.step(images, labels)
            torch.cuda.current_stream().wait_stream(self.stream)
            return
        if mode not in self.graphs:
            self.graphs[mode] = self.record(images, labels)
        graph, inputs = self.graphs[mode]
        inputs[0].copy_(images)
        inputs[1].copy_(labels)
        graph.replay()

    def record(self, *batch: Tensor) -> tuple:
        """The graph, which is not run yet, and the tensors that it reads a batch from."""
        gc.collect()  # an earlier run's graph must not be destroyed while this one is recorded
        graph, inputs = torch.cuda.CUDAGraph(), [x.clone() for x in batch]
        with torch.cuda.graph(graph, stream=self.stream):
            self.step(*inputs)
        return graph, inputs
