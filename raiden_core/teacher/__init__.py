"""Who turns profiles into questions and answers: the `Teacher` protocol, and the offline teacher."""

from raiden_core.teacher.base import Draft, Fact, Teacher, TermGroup
from raiden_core.teacher.offline import OfflineTeacher

__all__ = ["Draft", "Fact", "OfflineTeacher", "Teacher", "TermGroup"]
