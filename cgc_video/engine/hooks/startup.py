"""Log the start-up summary once everything is built and loaded."""

from mmaction.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import Hook

from ..summary import testing_summary, training_summary

__all__ = ["StartupSummaryHook"]


@HOOKS.register_module()
class StartupSummaryHook(Hook):
    """Logs what is about to be trained or tested, on what, and how; see ``engine.summary``."""

    priority = "VERY_LOW"

    @master_only
    def before_train(self, runner) -> None:
        runner.logger.info(training_summary(runner))

    @master_only
    def before_test(self, runner) -> None:
        runner.logger.info(testing_summary(runner))
