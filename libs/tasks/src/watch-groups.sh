# Reads "+<group>" when a process group begins and "-<group>" when it has ended. The other end of the pipe is held by the
# worker alone, so it closes when the worker dies, however it dies: then the groups that are left are killed.
groups=' '
while read -r line; do
  group=${line#?}
  case $line in
    +*) groups="$groups$group " ;;
    -*) groups="${groups%%" $group "*} ${groups#*" $group "}" ;;
  esac
done
for group in $groups; do
  kill -s KILL -- "-$group" 2>/dev/null
done
