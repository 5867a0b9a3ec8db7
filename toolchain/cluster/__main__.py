import sys
from toolchain.cluster.recipe import recipe
print(recipe().build())
