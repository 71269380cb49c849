from tests.scenes import committed_scene, scene

__all__ = ["committed_scene", "scene"]
