"""Class activation maps against closed forms."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cgc_video.analysis.gradcam.maps import Place, activation_maps, to_frames
from cgc_video.errors import UserError
from cgc_video.layers import CGC2d


class Linear(nn.Module):
    """Average over positions and a linear layer: the score's gradient at a position is the weight over their number."""

    def __init__(self, layer: nn.Module, channels: int, per_frame: bool = False) -> None:
        super().__init__()
        self.layer, self.per_frame = layer, per_frame
        self.fc = nn.Linear(channels, 3)

    def extract_feat(self, inputs, test_mode):
        return self.layer(inputs.flatten(0, 1) if self.per_frame else inputs), {}

    def cls_head(self, features):
        pooled = features.flatten(2).mean(2)
        return self.fc(pooled.mean(0, keepdim=True) if self.per_frame else pooled)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_gradcam_of_an_image():
    model = Linear(nn.Conv2d(3, 5, 3), 5).eval()
    image = torch.randn(1, 3, 8, 9)
    (found,), scores = activation_maps(model, image, [Place(model.layer)], target=1)
    features = model.layer(image)[0]
    expected = F.relu((model.fc.weight[1][:, None, None] * features).sum(0)) / features[0].numel()
    torch.testing.assert_close(found, expected[None])
    torch.testing.assert_close(scores, model.cls_head(features[None])[0])


def test_gradcam_of_frames_and_of_a_clip():
    folded = Linear(nn.Conv2d(3, 5, 3), 5, per_frame=True).eval()
    clip = torch.randn(1, 4, 3, 6, 6)
    (found,), _ = activation_maps(folded, clip, [Place(folded.layer)], target=2)
    features = folded.layer(clip[0])
    expected = F.relu((folded.fc.weight[2][:, None, None] * features).sum(1)) / (4 * features[0, 0].numel())
    torch.testing.assert_close(found, expected)

    volume = Linear(nn.Conv3d(3, 5, (1, 3, 3)), 5).eval()
    with torch.no_grad():
        volume.layer.weight.copy_(folded.layer.weight[:, :, None])
        volume.layer.bias.copy_(folded.layer.bias)
        volume.fc.load_state_dict(folded.fc.state_dict())
    (of_volume,), _ = activation_maps(volume, clip.transpose(1, 2), [Place(volume.layer)], target=2)
    torch.testing.assert_close(of_volume, found)


def test_gradcam_plus_plus_of_an_image():
    """With one gradient g per channel, alpha is 1 / (2 + g * sum(A)) at every position."""
    model = Linear(nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU()), 5).eval()
    image = torch.randn(1, 3, 8, 9)
    (found,), _ = activation_maps(model, image, [Place(model.layer)], target=0, method="gradcam++")
    features = model.layer(image)[0]
    gradient = (model.fc.weight[0] / features[0].numel()).view(-1, 1, 1)
    alpha = 1 / (2 + gradient * features.sum((1, 2), keepdim=True))
    expected = F.relu((features[0].numel() * alpha * F.relu(gradient) * features).sum(0))
    torch.testing.assert_close(found, expected[None])


def test_the_predicted_class_is_explained_by_default():
    model = Linear(nn.Conv2d(3, 5, 3), 5).eval()
    image = torch.randn(1, 3, 8, 8)
    (found,), scores = activation_maps(model, image, [Place(model.layer)])
    (named,), _ = activation_maps(model, image, [Place(model.layer)], target=int(scores.argmax()))
    torch.testing.assert_close(found, named)


def test_a_later_step_that_works_in_place_changes_nothing():
    layer = nn.Conv2d(3, 5, 3)
    model = Linear(nn.Sequential(layer, nn.ReLU(inplace=True)), 5).eval()
    image = torch.randn(1, 3, 8, 8)
    (found,), _ = activation_maps(model, image, [Place(layer)], target=0)
    features = layer(image)
    gradient = model.fc.weight[0].view(1, -1, 1, 1) * (features > 0) / features[0, 0].numel()
    expected = F.relu((gradient.mean((2, 3), keepdim=True) * features).sum(1))
    torch.testing.assert_close(found, expected)


def test_the_context_of_a_gate_is_a_map_on_its_grid():
    gated = CGC2d(3, 5, 3)
    nn.init.normal_(gated.gate.decode_in.weight)
    model = Linear(gated, 5).eval()
    places = [Place(gated, is_input=True), Place(gated.gate, is_input=True, grid=(3, 3)), Place(gated)]
    before, context, after = activation_maps(model, torch.rand(1, 3, 9, 9), places)[0]
    assert (before.shape, context.shape, after.shape) == ((1, 9, 9), (1, 3, 3), (1, 7, 7))


def test_what_has_no_map_is_refused():
    model = Linear(nn.Conv2d(3, 5, 3), 5).eval()
    with pytest.raises(UserError, match=r"gives \(1, 3\); a map takes"):
        activation_maps(model, torch.rand(1, 3, 9, 9), [Place(model.fc)])
    with pytest.raises(UserError, match=r"target \(3\) must be a class, 0 to 2"):
        activation_maps(model, torch.rand(1, 3, 9, 9), [Place(model.layer)], target=3)


def test_maps_are_scaled_to_the_frames_by_the_largest_value_of_the_clip():
    maps = torch.zeros(2, 3, 3)
    maps[0, 0, 0], maps[1, 2, 2] = 4.0, 2.0
    scaled = to_frames(maps, 4, (12, 12))
    assert scaled.shape == (4, 12, 12)
    assert scaled.max() == 1
    assert scaled[3, -1, -1] == pytest.approx(0.5)
    assert to_frames(torch.zeros(1, 2, 2), 1, (4, 4)).sum() == 0
