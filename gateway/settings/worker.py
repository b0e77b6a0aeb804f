"""The worker, and the recovery of operations."""

from pydantic import Field

from domain.command_service import LONGEST_ATTEMPT
from gateway.settings.group import SettingsGroup


class WorkerSettings(SettingsGroup):
    run_worker: bool = Field(default=True, description="Whether the server runs the worker too.")
    operation_lease_seconds: int = Field(
        default=30,
        ge=1,
        description="How long one attempt at a command may take before others resume it; "
        "in production more than the 25 seconds that an attempt asks Stripe.",
    )
    resume_seconds: int = Field(
        default=5, ge=1, le=59, description="How often the worker looks for abandoned operations."
    )

    def problems(self) -> list[str]:
        return [*super().problems(), *(self._short_lease() if self.is_production else [])]

    def _short_lease(self) -> list[str]:
        """Whoever is still at work must not be taken for dead."""
        longest = LONGEST_ATTEMPT.total_seconds()
        if self.operation_lease_seconds > longest:
            return []
        return [f"OPERATION_LEASE_SECONDS is not more than the {longest:.0f} that an attempt may take"]
