import type { ProgramTable } from './program.ts'

/** Containers and clusters. */
export const containers: ProgramTable = {
  'docker podman nerdctl': {
    takes: '-H --host -c --context --config -l --log-level',
    flags: { '-H --host': 'network.remote', '--config': 'container.run' },
    subcommands: {
      'ps images version info stats top port diff history logs --version -v events': {
        effect: 'container.read',
        takes: '-n -f --filter --format --tail --since --until',
      },
      inspect: { effect: 'secrets.environment' },
      'image container volume network context system manifest': {
        effect: 'container.read',
        subcommands: {
          'ls list df info history stats top logs port ps show': {
            effect: 'container.read',
            takes: '-f --filter --format',
          },
        },
        other: 'container.change',
      },
      compose: {
        subcommands: {
          'ps ls logs images top version port': { effect: 'container.read', takes: '-n --tail --format' },
          config: { effect: 'secrets.environment' },
        },
        takes: '-f --file -p --project-name --env-file',
        other: 'container.run',
      },
      'run exec create start restart build buildx up attach cp compose-run': {
        effect: 'container.run',
        network: true,
      },
      'pull push login logout commit tag': { effect: 'container.change', network: true },
    },
    other: 'container.change',
    bare: 'info',
    examples: {
      allow: ['docker ps', 'docker images', 'docker logs -n 5 web', 'docker compose ps', 'docker --version'],
      ask: [
        'docker run alpine',
        'docker exec -it x sh',
        'docker rm -f x',
        'docker system prune',
        'docker inspect x',
        'docker compose up',
      ],
      deny: ['docker run -v /:/host alpine', 'docker run --privileged alpine'],
    },
  },
  'docker-compose': {
    subcommands: { 'ps ls logs images top version --version': { effect: 'container.read' } },
    takes: '-f --file -p',
    other: 'container.run',
    bare: 'info',
    examples: { allow: ['docker-compose ps'], ask: ['docker-compose up'] },
  },
  'kubectl oc k3s-kubectl': {
    takes: '-n --namespace --context -o --output -l --selector --cluster',
    network: true,
    flags: { '--kubeconfig --token --server -s --as --raw': 'cluster.change' },
    subcommands: {
      'get describe top explain api-resources api-versions cluster-info version': {
        effect: 'cluster.read',
        network: true,
      },
      logs: { effect: 'cluster.read', network: true, takes: '-c --tail --since' },
    },
    other: 'cluster.change',
    bare: 'info',
    examples: {
      allow: ['kubectl get pods', 'kubectl -n x get svc'],
      ask: [
        'kubectl delete pod x',
        'kubectl exec x -- sh',
        'kubectl get secrets -o yaml',
        'kubectl apply -f x',
      ],
    },
  },
  helm: {
    network: true,
    takes: '-n --namespace --kube-context',
    subcommands: { 'list ls status history version': { effect: 'cluster.read', network: true } },
    other: 'cluster.change',
    bare: 'info',
    examples: { allow: ['helm list'], ask: ['helm upgrade x y'] },
  },
  'kind minikube k3d k3s k9s kustomize skaffold tilt argocd flux istioctl eksctl kops kubeadm': {
    effect: 'cluster.change',
    free: true,
    network: true,
    examples: { ask: ['minikube start'] },
  },
}
