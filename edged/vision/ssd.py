"""Reads what `TFLite_Detection_PostProcess` gives: the custom operation at the end of SSD detectors.

After its source in TensorFlow, `tensorflow/lite/kernels/detection_postprocess.cc`.
"""

from edged.domain.box import Box
from edged.domain.face import Floats
from edged.vision.keypoints import upright_in
from edged.vision.nms import Candidate, best_first


def decoded(
    boxes: Floats,
    scores: Floats,
    classes: Floats | None,
    *,
    count: int,
    face_class: int | None,
    input_px: int,
    min_score: float,
) -> list[Candidate]:
    """The detections that are faces, best first.

    Args:
        boxes: N x 4 float32: y_min, x_min, y_max, x_max in shares of the input.
        scores: N float32, 0 to 1.
        classes: N float32, whole numbers; None where the model has one class only.
        count: how many of the N are detections; the rest is left over from before.
        face_class: the class of faces; None where every class is one.
        input_px: side of the input.
        min_score: least score of a face.

    Such a detector gives no keypoints: they are those of an upright face in the box.
    """
    faces = []
    for number in range(min(max(count, 0), len(scores))):
        is_face = classes is None or face_class is None or round(float(classes[number])) == face_class
        if not is_face or not scores[number] >= min_score:
            continue
        y_min, x_min, y_max, x_max = (float(edge) * input_px for edge in boxes[number])
        box = Box(x_min, y_min, max(x_min, x_max), max(y_min, y_max))
        faces.append(Candidate(min(float(scores[number]), 1.0), box, upright_in(box)))
    return best_first(faces)
