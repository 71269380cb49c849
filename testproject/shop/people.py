"""Groups and users of the shop. Nobody can sign in unless passwords are asked for."""

from django.contrib.auth.models import Group, Permission, User

from testproject.shop import models

# group → {model: verbs}
GROUPS = {
    "sales": {
        models.Product: ["view"],
        models.Category: ["view"],
        models.Customer: ["view", "add", "change"],
        models.Order: ["view", "add", "change"],
        models.OrderItem: ["view", "add", "change", "delete"],
    },
    "support": {
        models.Product: ["view"],
        models.Customer: ["view", "change"],
        models.Order: ["view"],
        models.OrderItem: ["view"],
        models.Note: ["view", "add", "change"],
    },
}
USERS = {"sam": "sales", "sue": "support"}


def load(alias: str = "default") -> None:
    """Make the groups, with their model permissions, and one user in each."""
    for name, grants in GROUPS.items():
        group, _ = Group.objects.using(alias).get_or_create(name=name)
        codenames = [
            f"{verb}_{model._meta.model_name}" for model, verbs in grants.items() for verb in verbs
        ]
        group.permissions.set(
            Permission.objects.using(alias).filter(
                content_type__app_label="shop", codename__in=codenames
            )
        )
    for username, group_name in USERS.items():
        user, created = User.objects.using(alias).get_or_create(
            username=username, defaults={"is_staff": True}
        )
        if created:
            user.set_unusable_password()
            user.save(using=alias)
        user.groups.set([Group.objects.using(alias).get(name=group_name)])


def demo_passwords(alias: str = "default") -> None:
    """A superuser `admin`, and for everybody the name as the password. For a demo only."""
    User.objects.using(alias).get_or_create(
        username="admin", defaults={"is_staff": True, "is_superuser": True}
    )
    for user in User.objects.using(alias).filter(username__in=["admin", *USERS]):
        if not user.check_password(user.username):
            user.set_password(user.username)
            user.save(using=alias)
