# Reads "+<group>" from a process group that begins and "-<group>" from the worker when it has ended. The other end of the
# pipe is held by the worker, and by a group until it has said that it begins; so it closes when the worker dies, however it
# dies: then the groups that are left are killed.
groups=' '
while read -r line; do
  group=${line#?}
  case $line in
    +*) groups="$groups$group " ;;
    -*)
      case $groups in
        *" $group "*) groups="${groups%%" $group "*} ${groups#*" $group "}" ;;
      esac
      ;;
  esac
done
for group in $groups; do
  kill -s KILL -- "-$group" 2>/dev/null
done
